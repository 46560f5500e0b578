/* posix_spawn is fork and exec in one call, and reports the error. See
 * notebooks/03_something_else.ipynb. */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t child;
    char *tea[] = {"echo", "tea", NULL};
    if (posix_spawnp(&child, "echo", NULL, NULL, tea, environ) == 0)
        waitpid(child, NULL, 0);
    char *none[] = {"no-such-command", NULL};
    int error = posix_spawnp(&child, none[0], NULL, NULL, none, environ);
    printf("%s: %s\n", none[0], strerror(error));
}
