/* It waits once per SIGCHLD; but who dies while one is pending raises no second one.
 * Yelp/dumb-init#44. */
#include "init.h"

int main(int count, char *arguments[]) {
    sigset_t chld;
    int number, status;
    (void)count;
    sigemptyset(&chld);
    sigaddset(&chld, SIGCHLD);
    mask(SIG_BLOCK, SIGCHLD);
    pid_t command = fork();
    if (command == 0)
        become(arguments + 1);
    for (;;) {
        sigwait(&chld, &number);
#ifdef MENDED
        for (pid_t ended; (ended = waitpid(-1, &status, WNOHANG)) > 0;)
            if (ended == command)
                return fate(status);
#else
        if (waitpid(-1, &status, WNOHANG) == command)
            return fate(status);
#endif
    }
}
