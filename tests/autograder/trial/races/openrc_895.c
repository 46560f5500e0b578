/* Its handler tells it by a pipe that its command has ended, if that is whom it has collected; but
 * fork() may not have told yet who that is. OpenRC/openrc#895. */
#include "init.h"

static int ends[2];
static volatile pid_t service;

static void collect(int number) {
    int status, saved = errno;
    pid_t ended;
    (void)number;
    while ((ended = waitpid(-1, &status, WNOHANG)) > 0)
        if (ended == service && write(ends[1], &status, sizeof status) < 0)
            _exit(9);
    errno = saved;
}

int main(int count, char *arguments[]) {
    int status;
    (void)count;
    if (pipe(ends) < 0)
        return 9;
    on(SIGCHLD, collect);
#ifdef MENDED
    mask(SIG_BLOCK, SIGCHLD);
#endif
    service = fork();
    if (service == 0) {
        close(ends[0]);
        close(ends[1]);
        become(arguments + 1);
    }
    mask(SIG_UNBLOCK, SIGCHLD);
    if (read(ends[0], &status, sizeof status) != sizeof status)
        return 9;
    return fate(status);
}
