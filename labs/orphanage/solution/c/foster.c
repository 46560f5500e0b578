/* Adopts whoever loses its parent below it, and tells how each of them ended.
 *
 *     ./foster CMD [ARG...]
 *
 * A subreaper is for its descendants what PID 1 is for all: their orphans become its children
 * (PR_SET_CHILD_SUBREAPER, prctl(2)).
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_EXECUTE = 126, NOT_FOUND = 127, KILLED = 128 };

/* What a shell would call it: N, or 128 + n for signal n. */
static int exit_status(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : KILLED + WTERMSIG(wait_status);
}

/* Collects everybody until nobody is left; returns what CMD ended with. CMD may end first or last:
 * orphans that live on are still ours. */
static int foster(pid_t command) {
    int status = 0;
    int wait_status;
    pid_t child;
    while ((child = wait(&wait_status)) > 0 || errno == EINTR) {
        if (child == command) {
            status = exit_status(wait_status);
        } else if (child > 0) {
            printf("orphan exited with %d\n", exit_status(wait_status));
            fflush(stdout); /* somebody may be reading while the next one still lives */
        }
    }
    return status;
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        errx(USAGE, "usage: foster CMD [ARG...]");
    }
    signal(SIGCHLD, SIG_DFL); /* were it ignored, children would vanish without a status: wait(2) */

    /* Before fork(): CMD may leave orphans as soon as it is there. And in the parent: a child does
     * not inherit it. */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1L) < 0) {
        err(CANNOT_EXECUTE, "prctl");
    }
    pid_t command = fork();
    if (command < 0) {
        err(CANNOT_EXECUTE, "fork");
    }
    if (command == 0) {
        execvp(argv[1], &argv[1]);
        int status = errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
        warn("%s", argv[1]);
        _exit(status);
    }
    return foster(command);
}
