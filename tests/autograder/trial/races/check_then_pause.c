/* It looks whether somebody has died, and sleeps until somebody does: who dies between the two is
 * never collected. */
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
#ifdef MENDED
    sigset_t before = mask(SIG_BLOCK, SIGCHLD);
#endif
    pid_t command = fork();
    if (command == 0)
        become(arguments + 1);
    for (;;) {
        while (!died)
#ifdef MENDED
            sigsuspend(&before);
#else
            pause();
#endif
        died = false;
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
            if (ended == command)
                return fate(status);
    }
}
