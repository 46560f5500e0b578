/* A zombie cannot be killed, and ps calls it defunct. See notebooks/05_zombies.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        sleep(10);
        return 123;
    }
    sleep(50);
    printf("kill -9 returns %d\n", kill(child, SIGKILL));
    char command[64];
    snprintf(command, sizeof command, "exec ps -o state,args -p %d", child);
    system(command);
    sleep(50);
}
