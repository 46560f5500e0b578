/* Who is asked to end if PID 1 gets SIGTERM? See notebooks/11_what_pid_1_must_do.ipynb. */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

void save(int number) {
    (void)number;
    write(1, "saved\n", 6);
    _exit(3);
}

int cowsay(void) {
    signal(SIGTERM, save);
    sleep(100);
    return 0;
}

int init(void) {
    pid_t result = fork();
    if (result == 0)
        return cowsay();
    while (wait(NULL) != result) {
    }
    return 0;
}

int main(void) { /* outside */
    unshare(CLONE_NEWUSER | CLONE_NEWPID);
    pid_t child = fork();
    if (child == 0)
        return init();
    sleep(5);
    kill(child, SIGTERM); /* please */
    sleep(10);
    kill(child, SIGKILL); /* enough */
    int status;
    wait(&status);
    printf("outside: signal %d ended it\n", WTERMSIG(status));
}
