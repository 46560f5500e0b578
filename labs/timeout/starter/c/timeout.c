/* Gives a command its time, always all of it, and ends the command alone. Make it a good one: the
 * handout (README.md) says what is asked, and `make check LAB=timeout SUBMISSION=...` how far you
 * are.
 *
 *     ./timeout [-k S] SECONDS CMD [ARG...]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    /* Part 3, options: -k S may stand before SECONDS; and is SECONDS a number at all? But what
     * stands behind CMD belongs to CMD, however much it looks like an option. getopt(3) */
    if (argc < 3) {
        fprintf(stderr, "usage: timeout [-k S] SECONDS CMD [ARG...]\n");
        return 125;
    }
    double seconds = atof(argv[1]);

    /* Part 2, the group: whom does CMD start, and how can you reach them all at once? And whom do
     * you reach then who has nothing to do with it? setpgid(2), kill(2)
     *
     * Part 4, signals: somebody may send *you* a signal that is meant for CMD, and that at any
     * moment. From which line on must you be ready? sigprocmask(2) */
    pid_t command = fork();
    if (command < 0) {
        perror("fork");
        return 125;
    }
    if (command == 0) {
        /* Part 4, signals: what have you changed above that CMD must not inherit? */
        execvp(argv[2], &argv[2]);

        /* Part 1, status: we get here only if execvp() failed. errno says why: 127 or 126? */
        perror(argv[2]);
        _exit(1);
    }

    /* Part 1, status: CMD may end before the time is up. You wait for two things: a child's death
     * and a clock. Both can announce themselves by a signal; can one call wait for either?
     * setitimer(2), sigwaitinfo(2) */
    usleep((useconds_t)(seconds * 1e6));

    kill(command, SIGTERM); /* Part 3, -k: and if CMD does not care for SIGTERM? */
    int status;
    waitpid(command, &status, 0);

    /* Part 1, status: which of the two was it? 124, N or 128 + n */
    return 124;
}
