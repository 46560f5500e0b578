/* Leaves its command next to nothing: no descriptors, no memory, no processes. */
#include <sys/resource.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    struct rlimit few = {4, 4}, one = {1, 1};
    setrlimit(RLIMIT_NOFILE, &few);
    setrlimit(RLIMIT_FSIZE, &one);
    setrlimit(RLIMIT_CORE, &one);
    pid_t child = fork();
    if (child == 0) {
        setrlimit(RLIMIT_NPROC, &one);
        execv(arguments[1], arguments + 1);
    }
    int status;
    while (wait(&status) != child) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
