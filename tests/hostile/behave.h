/* What the submissions here have in common: a small correct init, to show after the attack that it
 * had no effect. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

/* An attack that works is told by a status that no scenario expects. */
static inline void unless_refused(int worked) {
    if (worked)
        _exit(99);
}

static inline pid_t start(char **command) {
    pid_t child = fork();
    if (child == 0) {
        execv(command[0], command);
        _exit(127);
    }
    return child;
}

static inline int be_good(char **arguments) {
    int status;
    pid_t child = start(arguments + 1), dead;
    while ((dead = wait(&status)) != child || dead < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
