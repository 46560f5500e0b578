/* See job.h. */
#define _GNU_SOURCE
#include "job.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start.h"

int is_job(char *const *settings) {
    return setting(settings, "job") != NULL;
}

/* Does nothing, and holds nothing open but the terminal: whoever waits for the end of one of our
 * descriptors does not wait for it. */
static _Noreturn void lead(int terminal, pid_t child, int told) {
    if (write(told, &child, sizeof child) != sizeof child)
        _exit(1);
    dup2(terminal, STDIN_FILENO);
    syscall(SYS_close_range, 1, ~0U, 0);
    for (;;)
        pause();
}

pid_t clone_into_session(unsigned long flags, int terminal) {
    int told[2];
    pid_t child = -1;
    if (pipe(told) < 0)
        return -1;
    pid_t leader = fork();
    if (leader == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        setsid();
        if (ioctl(terminal, TIOCSCTTY, 0) < 0)
            _exit(1);
        child = (pid_t)syscall(SYS_clone, flags | CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
        if (child != 0)
            lead(terminal, child, told[1]);
    }
    close(told[1]);
    if (leader > 0 && read(told[0], &child, sizeof child) != sizeof child)
        errno = ENOTTY;
    close(told[0]);
    return child;
}

int become_job(char *const *settings) {
    sigset_t terminal_output;
    sigemptyset(&terminal_output);
    sigaddset(&terminal_output, SIGTTOU); /* else whoever is in the background is stopped by it */
    sigprocmask(SIG_BLOCK, &terminal_output, NULL);
    if (setpgid(0, 0) < 0)
        return -1;
    if (strcmp(setting(settings, "job"), "foreground") != 0)
        return 0;
    return tcsetpgrp(STDIN_FILENO, getpgrp());
}
