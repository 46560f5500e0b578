/* Whom does a PID 1 without handlers obey? See notebooks/11_what_pid_1_must_do.ipynb. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    unshare(CLONE_NEWUSER | CLONE_NEWPID);
    pid_t init = fork();
    if (init == 0) {
        if (fork() == 0) { /* somebody inside */
            sleep(5);
            kill(1, SIGKILL);
        }
        sleep(100);
        return 0;
    }
    sleep(10); /* somebody outside */
    kill(init, SIGTERM);
    sleep(10);
    kill(init, SIGKILL);
    int status;
    wait(&status);
    printf("outside: signal %d ended it\n", WTERMSIG(status));
}
