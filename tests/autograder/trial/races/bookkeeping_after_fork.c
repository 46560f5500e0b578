/* Its command may be taken off the books before it has been entered there. CS:APP, figure 8.39. */
#include "init.h"

static volatile sig_atomic_t running, result;

static void take_off(int number) {
    int status;
    (void)number;
    while (waitpid(-1, &status, WNOHANG) > 0) {
        running--;
        result = fate(status);
    }
}

int main(int count, char *arguments[]) {
    sigset_t before;
    (void)count;
    on(SIGCHLD, take_off);
#ifdef MENDED
    before = mask(SIG_BLOCK, SIGCHLD);
    running++;
    if (fork() == 0)
        become(arguments + 1);
#else
    if (fork() == 0)
        become(arguments + 1);
    running = 1;
    before = mask(SIG_BLOCK, SIGCHLD);
#endif
    while (running > 0)
        sigsuspend(&before);
    return result;
}
