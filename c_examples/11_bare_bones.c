/* The bare-bones init of the lecture, as PID 1. See notebooks/11_what_pid_1_must_do.ipynb. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int cowsay(void) {
    if (fork() == 0) {
        if (fork() == 0)
            sleep(5); /* a stranger: init has not started it */
        return 0;
    }
    wait(NULL);
    sleep(10);
    puts("moo");
    return 3;
}

int init(void) {
    pid_t result = fork();
    if (result > 0) {
        while (wait(NULL) != result) {
        }
    } else if (result == 0) {
        return cowsay(); /* any process here */
    }
    return 0;
}

int main(void) { /* outside */
    unshare(CLONE_NEWUSER | CLONE_NEWPID);
    if (fork() == 0)
        return init();
    int status;
    wait(&status);
    printf("outside: init exited with %d\n", WEXITSTATUS(status));
}
