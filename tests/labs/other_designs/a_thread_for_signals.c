/* A correct init with two threads: one passes signals on, the other waits for children. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static pid_t pid;
static sigset_t fwd;
static void *forward(void *x) {
    for (;;) {
        int s;
        if (sigwait(&fwd, &s) == 0)
            kill(-pid, s);
    }
    return x;
}
/* The descriptor of a terminal whose foreground is ours, or -1. */
static int own_terminal(void) {
    for (int d = 0; d < 3; d++)
        if (tcgetpgrp(d) == getpgrp())
            return d;
    return -1;
}
int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    sigfillset(&fwd);
    sigdelset(&fwd, SIGCHLD);
    sigprocmask(SIG_SETMASK, &fwd, NULL);
    signal(SIGCHLD, SIG_DFL);
    int terminal = own_terminal();
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        tcsetpgrp(terminal, getpid());
        for (int s = 1; s < 65; s++)
            signal(s, SIG_DFL);
        sigset_t nothing;
        sigemptyset(&nothing);
        sigprocmask(SIG_SETMASK, &nothing, NULL);
        execvp(argv[1], argv + 1);
        _exit(errno == ENOENT ? 127 : 126);
    }
    setpgid(pid, pid);
    pthread_t t;
    pthread_create(&t, NULL, forward, NULL);
    for (;;) {
        int st;
        pid_t w = waitpid(-1, &st, 0);
        if (w < 0 && errno == EINTR)
            continue;
        if (w != pid)
            continue;
        tcsetpgrp(terminal, getpgrp());
        _exit(WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
    }
}
