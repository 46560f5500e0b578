/* An init that adopts, passes on and tells. See notebooks/11_what_pid_1_must_do.ipynb. */
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
    if (fork() == 0)
        return sleep(100) > 0; /* its child, which does not want to end */
    signal(SIGTERM, save);
    sleep(100);
    return 0;
}

pid_t command;

void pass_on(int number) {
    kill(command, number);
}

int init(void) {
    int status;
    command = fork();
    if (command == 0)
        return cowsay();
    signal(SIGTERM, pass_on); /* from now on PID 1 gets it */
    while (wait(&status) != command) {
    } /* anybody else was an orphan, and is reaped now */
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(void) { /* outside */
    unshare(CLONE_NEWUSER | CLONE_NEWPID);
    pid_t child = fork();
    if (child == 0)
        return init();
    sleep(5);
    kill(child, SIGTERM); /* please */
    int status;
    wait(&status);
    printf("outside: init exited with %d\n", WEXITSTATUS(status));
}
