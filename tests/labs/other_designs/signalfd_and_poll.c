/* A correct init that reads its signals from a descriptor. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>
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
    int fd = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t pid = fork();
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
    for (;;) {
        struct pollfd p = {fd, POLLIN, 0};
        poll(&p, 1, -1);
        struct signalfd_siginfo si;
        while (read(fd, &si, sizeof si) == sizeof si) {
            if (si.ssi_signo != SIGCHLD) {
                kill(-pid, si.ssi_signo);
                continue;
            }
            int st;
            pid_t w;
            while ((w = waitpid(-1, &st, WNOHANG)) > 0)
                if (w == pid) {
                    tcsetpgrp(terminal, getpgrp());
                    exit(WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
                }
        }
    }
}
