/* While it is busy with those whom it has just collected, another one dies; and when it is done, it
 * forgets that there was a SIGCHLD. containerd/containerd#13539. */
#include "init.h"

static volatile sig_atomic_t died;

static void note(int number) {
    (void)number;
    died = true;
}

int main(int count, char *arguments[]) {
    int status;
    (void)count;
    on(SIGCHLD, note);
    sigset_t before = mask(SIG_BLOCK, SIGCHLD);
    pid_t command = fork();
    if (command == 0)
        become(arguments + 1);
    for (;;) {
        while (!died)
            sigsuspend(&before);
#ifdef MENDED
        died = false;
#endif
        sigprocmask(SIG_SETMASK, &before, NULL);
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
            if (ended == command)
                return fate(status);
        mask(SIG_BLOCK, SIGCHLD);
#ifndef MENDED
        died = false;
#endif
    }
}
