/* It blocks SIGTERM when it has forked: what comes before that is passed on to nobody.
 * Yelp/dumb-init#102. */
#include "init.h"

static volatile pid_t command;

static void pass_on(int number) {
    if (command > 0)
        kill(-command, number);
}

int main(int count, char *arguments[]) {
    int status;
    (void)count;
    on(SIGTERM, pass_on);
#ifdef MENDED
    mask(SIG_BLOCK, SIGTERM);
#endif
    pid_t started = fork();
    if (started == 0)
        become(arguments + 1);
    mask(SIG_BLOCK, SIGTERM);
    setpgid(started, started);
    command = started;
    mask(SIG_UNBLOCK, SIGTERM);
    while (wait(&status) != command)
        continue;
    return fate(status);
}
