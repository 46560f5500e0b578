/* wait gets the status of a child that ended long ago. See notebooks/05_zombies.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        sleep(10);
        return 123;
    }
    sleep(50);
    int status;
    pid_t child = wait(&status);
    printf("%d exited with %d\n", child, WEXITSTATUS(status));
}
