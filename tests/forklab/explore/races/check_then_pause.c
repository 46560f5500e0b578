/* It looks whether the signal has come, and then waits for it: between the two it may come. */
#include "race.h"

static volatile sig_atomic_t ended;

static void note(int number) {
    (void)number;
    ended = 1;
}

int main(void) {
    sigset_t chld, before;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    on(SIGCHLD, note);
#ifdef MENDED
    sigprocmask(SIG_BLOCK, &chld, &before);
#else
    sigprocmask(SIG_BLOCK, NULL, &before);
#endif
    if (fork() == 0)
        _exit(0);
    while (!ended)
#ifdef MENDED
        sigsuspend(&before);
#else
        pause();
#endif
    wait(NULL);
    return 0;
}
