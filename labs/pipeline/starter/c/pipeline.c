/* A pipeline without pipes: it runs its commands one after another. Make it a real one: the handout
 * (README.md) says what is asked, and `make check LAB=pipeline SUBMISSION=...` how far you are.
 *
 *     ./pipeline A [ARG...] '|' B [ARG...] ...
 */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Puts a NULL in the place of each "|", and stores where the commands between them begin. Returns
 * how many there are: 0 if one of them is empty. */
static int split(char *words[], char **commands[]) {
    int count = 0;
    commands[count++] = words;
    for (; *words != NULL; words++) {
        if (strcmp(*words, "|") == 0) {
            *words = NULL;
            commands[count++] = words + 1;
        }
    }
    for (int i = 0; i < count; i++) {
        if (*commands[i] == NULL) {
            return 0;
        }
    }
    return count;
}

int main(int argc, char *argv[]) {
    char **commands[argc + 1];
    int count = split(&argv[1], commands);
    if (count == 0) {
        fprintf(stderr, "usage: pipeline A [ARG...] '|' B [ARG...] ...\n");
        return 2;
    }

    int status = 0;
    for (int i = 0; i < count; i++) {
        /* Part 1, pipes: between this command and the next there must be a pipe before either of
         * them is forked, so that both inherit it. pipe(2) */
        pid_t child = fork();
        if (child < 0) {
            perror("fork");
            return 126;
        }
        if (child == 0) {
            /* Part 1, pipes: here the child's standard input (0) becomes the reading end of the
             * pipe before it, and its standard output (1) the writing end of the pipe behind it.
             * dup2(2)
             *
             * Part 2, spare ends: which ends does the child hold that it does not need? */
            execvp(commands[i][0], commands[i]);

            /* Part 3, status: we get here only if execvp() failed. errno says why: 127 or 126? */
            perror(commands[i][0]);
            _exit(1);
        }
        /* Part 2, spare ends: and which ends do *we* hold now that nobody needs here any more?
         *
         * Part 1, pipes: the next command has not been started, and this one may write more than
         * a pipe can hold. Who would read it? So this is no place to wait. wait(2), pipe(7) */
        waitpid(child, &status, 0);
    }

    /* Part 3, status: of whom is this the status? And what if a signal killed him? */
    return WEXITSTATUS(status);
}
