/* The child may end, and be taken off the list, before the parent has put it there. See CS:APP,
 * figure 8.39. */
#include "race.h"

static volatile sig_atomic_t jobs;

static void take_off(int number) {
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        if (jobs > 0)
            jobs--;
}

int main(void) {
    sigset_t chld, before;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    on(SIGCHLD, take_off);
#ifdef MENDED
    sigprocmask(SIG_BLOCK, &chld, NULL);
#endif
    sigprocmask(SIG_BLOCK, NULL, &before);
    if (fork() == 0)
        _exit(0);
    jobs++;
    sigdelset(&before, SIGCHLD);
    sigprocmask(SIG_SETMASK, &before, NULL);
    while (sleep(1) > 0)
        continue;
    return jobs; /* 0: the list is empty, as it should be */
}
