/* What the submissions here have in common: a small correct init, to show after the attack that it
 * had no effect. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target.h"

/* An attack that works is told by a status that no scenario expects. */
static inline void unless_refused(int worked) {
    if (worked)
        _exit(99);
}

/* Whether it belongs to our own user: then nobody can refuse to change its rights. SECURITY.md
 * names it, of a grader who is a plain user without namespaces. */
static inline int is_ours(const char *file) {
    struct stat facts;
    return stat(file, &facts) == 0 && facts.st_uid == getuid();
}

static inline pid_t start(char **command) {
    pid_t child = fork();
    if (child == 0) {
        execv(command[0], command);
        _exit(127);
    }
    return child;
}

/* Connects to the judge as its actors do: its socket stands beside their program. */
static inline int connect_to_judge(const char *actor) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%.*s/socket",
             (int)(strrchr(actor, '/') - actor), actor);
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : fd;
}

static inline int be_good(char **arguments) {
    int status;
    pid_t child = start(arguments + 1), dead;
    while ((dead = wait(&status)) != child || dead < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
