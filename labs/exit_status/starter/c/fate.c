/* Runs a command and says with which status it has exited. That is right as long as it does exit:
 * the handout (README.md) says what else can become of it, and
 * `make check LAB=exit_status SUBMISSION=...` says how far you are.
 *
 *     ./fate CMD [ARG...]
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char *argv[]) {
    if (argc < 2) {
        fprintf(stderr, "usage: fate CMD [ARG...]\n");
        return 1; /* Part 1: with what does a program exit that was called wrongly? */
    }

    pid_t command = fork();
    if (command < 0) {
        perror("fork");
        return 1;
    }
    if (command == 0) {
        execvp(argv[1], &argv[1]);

        /* Part 1: we get here only if execvp() failed. errno says why: 127 or 126? */
        perror(argv[1]);
        _exit(1);
    }

    /* Part 3: this tells of CMD's end alone. Which options make waitpid() tell of stops as well?
     * And what is to be done after one? wait(2) */
    int status;
    waitpid(command, &status, 0);

    /* Part 1: is that the exit status? Part 2: and did it exit at all? */
    printf("exited with %d\n", status);
    return status;
}
