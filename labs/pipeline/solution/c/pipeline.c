/* Runs commands side by side, each one's output being the next one's input.
 *
 *     ./pipeline A [ARG...] '|' B [ARG...] ...
 *
 * A reader comes to the end of a pipe when nobody holds its writing end any more, and a writer is
 * told by SIGPIPE that nobody reads when nobody holds its reading end. So whoever needs an end
 * holds it, and nobody else: neither we, nor a command that was started earlier or later.
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_EXECUTE = 126, NOT_FOUND = 127, KILLED = 128 };

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

/* A pipe whose ends are not 0, 1 or 2, which is what pipe(2) answers where one of these is closed:
 * then dup2() below would put one end in the place of the other. */
static void make_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe(ends) < 0) {
        err(CANNOT_EXECUTE, "pipe");
    }
    int *moved[] = {reading, writing};
    for (int i = 0; i < 2; i++) {
        *moved[i] = ends[i];
        if (ends[i] <= STDERR_FILENO) {
            *moved[i] = fcntl(ends[i], F_DUPFD, STDERR_FILENO + 1);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (ends[i] <= STDERR_FILENO) {
            close(ends[i]);
        }
    }
}

/* From now on `descriptor` is known as `number`, and as nothing else. -1 changes nothing. */
static void move(int descriptor, int number) {
    if (descriptor >= 0) {
        dup2(descriptor, number);
        close(descriptor);
    }
}

/* The child becomes a command. Its output may go to a pipe whose other end it must not keep. */
static _Noreturn void become(char *command[], int input, int output, int other_end) {
    if (other_end >= 0) {
        close(other_end);
    }
    move(input, STDIN_FILENO);
    move(output, STDOUT_FILENO);

    execvp(command[0], command);
    int status = errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
    warn("%s", command[0]);
    _exit(status);
}

/* As a shell tells it. */
static int exit_status(pid_t child) {
    int wait_status;
    while (waitpid(child, &wait_status, 0) < 0) {
        if (errno != EINTR) {
            err(CANNOT_EXECUTE, "waitpid");
        }
    }
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : KILLED + WTERMSIG(wait_status);
}

int main(int argc, char *argv[]) {
    char **commands[argc + 1];
    int count = split(&argv[1], commands);
    if (count == 0) {
        errx(USAGE, "usage: pipeline A [ARG...] '|' B [ARG...] ...");
    }
    signal(SIGCHLD, SIG_DFL); /* were it ignored, children would vanish without a status: wait(2) */

    /* Everybody is started before anybody is waited for: a pipe holds 64 KiB, and whoever writes
     * more waits until somebody reads. */
    pid_t children[count];
    int input = -1; /* the reading end of the pipe before; the first command has our own input */
    for (int i = 0; i < count; i++) {
        int next_input = -1;
        int output = -1;
        if (i + 1 < count) {
            make_pipe(&next_input, &output);
        }
        children[i] = fork();
        if (children[i] < 0) {
            warn("fork"); /* the others must still be waited for */
        }
        if (children[i] == 0) {
            become(commands[i], input, output, next_input);
        }
        /* Close both before the next fork: whom we never gave an end to, he need not close it. */
        if (input >= 0) {
            close(input);
        }
        if (output >= 0) {
            close(output);
        }
        input = next_input;
    }

    int status = 0;
    for (int i = 0; i < count; i++) {
        int of_this_one = children[i] < 0 ? CANNOT_EXECUTE : exit_status(children[i]);
        if (of_this_one != 0) {
            status = of_this_one; /* the last one in the line, not the last one to end */
        }
    }
    return status;
}
