/* A correct init with handlers, which run only while it sleeps in sigsuspend(2). */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile pid_t pid;
static void fwd(int s) {
    int e = errno;
    kill(-pid, s);
    errno = e;
}
static void chld(int s) {
    (void)s;
}
int main(int argc, char **argv) {
    if (argc < 2)
        return 2;
    sigset_t all, old;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &old);
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
    for (int s = 1; s < 65; s++) {
        struct sigaction a = {.sa_handler = s == SIGCHLD ? chld : fwd};
        sigfillset(&a.sa_mask);
        sigaction(s, &a, NULL);
    }
    sigset_t none;
    sigemptyset(&none);
    for (;;) {
        int st;
        pid_t w;
        while ((w = waitpid(-1, &st, WNOHANG)) > 0)
            if (w == pid)
                return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
        sigsuspend(&none);
    }
}
