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
int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    sigset_t old;
    sigfillset(&fwd);
    sigdelset(&fwd, SIGCHLD);
    sigprocmask(SIG_SETMASK, &fwd, &old);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        if (isatty(0))
            tcsetpgrp(0, getpid());
        sigprocmask(SIG_SETMASK, &old, NULL);
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
        if (w == pid)
            _exit(WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
    }
}
