/* Starts a command, and ends while it still runs. That makes an orphan of it, but no daemon: it is
 * still in the session, in the folder and at the terminal of whoever called. Make it a daemon: the
 * handout (README.md) says what is asked.
 *
 *     ./daemonize CMD [ARG...]
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    if (argc < 2) {
        fprintf(stderr, "usage: daemonize CMD [ARG...]\n");
        return 2;
    }

    /* Step 1, a session of its own: setsid(2) refuses whoever leads a process group, and whoever
     * calls it leads the new session. Who has to call it, so that CMD is in it and does not lead
     * it? Count the processes. */
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        return 126;
    }
    if (child == 0) {
        /* Step 2, surroundings: what would keep a file system from being unmounted, and where does
         * CMD write when the terminal is gone? chdir(2), open(2), dup2(2) */
        execvp(argv[1], &argv[1]);
        perror(argv[1]);
        _exit(127);
    }

    /* Step 3, what became of it: "0 once CMD has been executed, else 126 or 127". CMD's end cannot
     * be waited for, so how does the caller learn that execvp() has failed, or has not? A pipe can
     * tell, if exec closes it. fcntl(2): FD_CLOEXEC */
    return 0;
}
