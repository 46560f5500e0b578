/* Its handler reaps one child for each SIGCHLD; but signals do not queue: two deaths may be one
 * signal. */
#include "race.h"

static void reap(int number) {
    (void)number;
#ifdef MENDED
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
#else
    waitpid(-1, NULL, WNOHANG);
#endif
}

int main(void) {
    on(SIGCHLD, reap);
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            _exit(0);
    while (sleep(1) > 0) /* until both have ended */
        continue;
    return 0;
}
