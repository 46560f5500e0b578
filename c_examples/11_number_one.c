/* Inside a PID namespace and outside of it. See notebooks/11_what_pid_1_must_do.ipynb. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    unshare(CLONE_NEWUSER | CLONE_NEWPID); /* my next child begins a new PID namespace */
    pid_t child = fork();
    if (child == 0) {
        printf("inside: I am %d, my parent is %d\n", getpid(), getppid());
        return 0;
    }
    wait(NULL);
    printf("outside: I am %d, my child was %d\n", getpid(), child);
}
