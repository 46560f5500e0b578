/* Opens the memory of its command to change the program in it. */
#include <fcntl.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    char path[64];
    int pipes[2];
    if (pipe(pipes) < 0)
        return 1;
    fcntl(pipes[1], F_SETFD, FD_CLOEXEC);
    pid_t child = start(arguments + 1);
    close(pipes[1]);
    while (read(pipes[0], path, 1) > 0) { /* its end comes with exec */
    }
    snprintf(path, sizeof path, "/proc/%d/mem", child);
    unless_refused(open(path, O_RDWR) >= 0);
    int status;
    while (wait(&status) != child) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 99;
}
