/* Locks the grader's own files, and holds on to them. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/file.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    char launcher[4096];
    snprintf(launcher, sizeof launcher, "%s", arguments[1]);
    strcpy(strrchr(launcher, '/'), "/launcher");
    const char *const files[] = {launcher, arguments[0], arguments[1], "/dev/null"};
    for (int i = 0; i < 4; i++) {
        int file = open(files[i], O_RDONLY | O_CLOEXEC);
        flock(file, LOCK_EX | LOCK_NB);
        fcntl(file, F_SETLEASE, F_RDLCK);
    }
    return be_good(arguments);
}
