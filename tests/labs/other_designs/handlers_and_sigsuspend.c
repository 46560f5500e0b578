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
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
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
            if (w == pid) {
                tcsetpgrp(terminal, getpgrp());
                return WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st);
            }
        sigsuspend(&none);
    }
}
