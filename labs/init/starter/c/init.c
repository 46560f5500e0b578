/* An init that starts one command and waits for it. It works, until somebody dies whom it did not
 * start, or a signal comes. Make it a good one: the handout (README.md) says what is asked, and
 * `make check LAB=init SUBMISSION=...` says how far you are.
 *
 *     ./init CMD [ARG...]
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    if (argc < 2) {
        fprintf(stderr, "usage: init CMD [ARG...]\n");
        return 2;
    }

    /* Part 3, signals: when should init begin to hold signals back, so that none is lost between
     * here and the moment when CMD runs? sigprocmask(2) */

    pid_t command = fork();
    if (command < 0) {
        perror("fork");
        return 1;
    }
    if (command == 0) {
        /* Part 3, signals: CMD leads a process group of its own. setpgid(2)
         *
         * Part 4, hygiene: CMD must not notice that there is an init. What did you change above
         * that survives execvp()? signal(7) tells: look for "execve". And if init stands in the
         * foreground of a terminal, CMD's group takes that place. tcsetpgrp(3) */
        execvp(argv[1], &argv[1]);

        /* Part 2, status: we get here only if execvp() failed. errno says why: 127 or 126? */
        perror(argv[1]);
        _exit(1);
    }

    /* Part 1, reaper: this waits for CMD alone. Orphans become init's children too, and nobody else
     * will ever collect them. How do you wait for any child, and know when it was CMD? wait(2)
     *
     * Part 3, signals: init must wait for two things at once, a child's death and a signal to pass
     * on, without polling. A death announces itself by a signal too: can one call wait for all
     * signals? sigwaitinfo(2). But one SIGCHLD may stand for several deaths. */
    int status;
    waitpid(command, &status, 0);

    /* Part 2, status: what if CMD did not exit, but was killed by a signal? */
    return WEXITSTATUS(status);
}
