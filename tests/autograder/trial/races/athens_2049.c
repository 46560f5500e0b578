/* Who collects orphans takes the command too, and whoever waits for that finds nobody:
 * gomods/athens#2049, and ramr/go-reaper#11, where a goroutine calls wait4(-1) beside os/exec. */
#include "init.h"

static void collect_orphans(int number) {
    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0) {
    }
}

int main(int count, char *arguments[]) {
    int status;
    (void)count;
    on(SIGCHLD, collect_orphans);
#ifdef MENDED
    sigset_t before = mask(SIG_BLOCK, SIGCHLD);
#endif
    pid_t child = fork();
    if (child == 0)
        become(arguments + 1);
    if (waitpid(child, &status, 0) < 0)
        return 1; /* "waitid: no child processes" */
#ifdef MENDED
    sigprocmask(SIG_SETMASK, &before, NULL);
#endif
    return fate(status);
}
