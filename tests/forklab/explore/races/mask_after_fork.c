/* It blocks SIGTERM only after it has forked: the signal may come in between, and its handler
 * forwards it to nobody. */
#include "race.h"

static volatile pid_t child;

static void forward(int number) {
    if (child > 0)
        kill(child, number);
}

int main(void) {
    int status;
    sigset_t term, before;
    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pid_t parent = getpid();
    on(SIGTERM, forward);
    sigprocmask(SIG_SETMASK, NULL, &before);
#ifdef MENDED
    sigprocmask(SIG_BLOCK, &term, NULL);
#endif
    pid_t started = fork();
    if (started == 0) {
        signal(SIGTERM, SIG_DFL);
        sigprocmask(SIG_SETMASK, &before, NULL);
        kill(parent, SIGTERM);
        pause(); /* until SIGTERM comes back */
    }
#ifndef MENDED
    sigprocmask(SIG_BLOCK, &term, NULL);
#endif
    child = started;
    sigprocmask(SIG_SETMASK, &before, NULL);
    while (wait(&status) < 0 && errno == EINTR)
        continue;
    return 0;
}
