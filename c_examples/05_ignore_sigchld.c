/* Who ignores SIGCHLD has no zombies and learns no status. See notebooks/05_zombies.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    signal(SIGCHLD, SIG_IGN);
    if (fork() == 0) {
        sleep(10);
        return 7;
    }
    if (wait(NULL) == -1)
        perror("wait");
    sleep(90);
}
