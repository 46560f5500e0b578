/* One SIGCHLD, and a handler that reaps all who have ended. See notebooks/05_zombies.ipynb. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void child_ended(int signal) {
    (void)signal;
    while (waitpid(-1, NULL, WNOHANG) > 0) /* -1: any child */
        ;
}

int main(void) {
    signal(SIGCHLD, child_ended);
    for (int i = 0; i < 3; i++)
        if (fork() == 0) {
            sleep(10);
            return 0;
        }
    for (int left = 100; left > 0;)
        left = sleep(left);
}
