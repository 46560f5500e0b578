/* It starts its command before it is ready for a signal: whoever sends one at once kills it. */
#include "race.h"

static volatile sig_atomic_t stop;

static void note(int number) {
    (void)number;
    stop = 1;
}

int main(void) {
    int status;
#ifdef MENDED
    on(SIGTERM, note);
#endif
    pid_t parent = getpid();
    if (fork() == 0) {
        kill(parent, SIGTERM);
        _exit(0);
    }
#ifndef MENDED
    on(SIGTERM, note);
#endif
    while (wait(&status) < 0 && errno == EINTR)
        continue;
    return 0;
}
