/* Runs a command and says what becomes of it, a line for each thing that happens.
 *
 *     ./fate CMD [ARG...]
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(char *const *command) {
    execvp(command[0], command);
    fprintf(stderr, "fate: %s: %s\n", command[0], strerror(errno));
    /* Not exit(): what waits in the buffer of standard output is fate's, and would be written
     * twice. */
    _exit(errno == ENOENT ? 127 : 126);
}

/* "SIGTERM"; the C library has no names for real-time signals, which are counted from the first. */
static const char *name_of(int number) {
    static char name[32];
    if (number > SIGRTMIN && number <= SIGRTMAX)
        snprintf(name, sizeof name, "SIGRTMIN+%d", number - SIGRTMIN);
    else if (number == SIGRTMIN)
        snprintf(name, sizeof name, "SIGRTMIN");
    else
        snprintf(name, sizeof name, "SIG%s", sigabbrev_np(number));
    return name;
}

static const char *dumped(int status) {
    return WCOREDUMP(status) ? " (core dumped)" : "";
}

int main(int argc, char **argv) {
    if (argc < 2) {
        fprintf(stderr, "usage: fate CMD [ARG...]\n");
        return 2;
    }
    /* Whoever reads us through a pipe is to know at once; stdio would keep the lines until we end.
     */
    setvbuf(stdout, NULL, _IOLBF, 0);
    /* Ignored by who started us, as a careless daemon does: then nobody would tell us a status. */
    signal(SIGCHLD, SIG_DFL);

    pid_t command = fork();
    if (command < 0) {
        perror("fate: fork");
        return 126;
    }
    if (command == 0)
        become(argv + 1);
    for (;;) {
        int status;
        if (waitpid(command, &status, WUNTRACED | WCONTINUED) < 0) {
            if (errno == EINTR)
                continue;
            perror("fate: waitpid");
            return 126;
        }
        if (WIFEXITED(status)) {
            printf("exited with %d\n", WEXITSTATUS(status));
            return WEXITSTATUS(status);
        }
        if (WIFSIGNALED(status)) {
            printf("killed by %s%s\n", name_of(WTERMSIG(status)), dumped(status));
            return 128 + WTERMSIG(status);
        }
        if (WIFSTOPPED(status))
            printf("stopped by %s\n", name_of(WSTOPSIG(status)));
        else if (WIFCONTINUED(status))
            printf("continued\n");
    }
}
