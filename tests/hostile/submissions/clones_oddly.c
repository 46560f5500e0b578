/* Makes children in all odd ways: siblings, with other last signals, with everything shared. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>

#include "behave.h"

static void clone_with(unsigned long flags) {
    if (syscall(SYS_clone, flags, 0, 0, 0, 0) == 0)
        syscall(SYS_exit, 0);
    while (waitpid(-1, NULL, __WALL | WNOHANG) > 0) {
    }
}

int main(int count, char **arguments) {
    (void)count;
    unless_refused(syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, 0, 0, 0, 0) >= 0);
    unless_refused(syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0) >= 0);
    unless_refused(syscall(SYS_clone3, NULL, 0) >= 0);
    clone_with(0);
    clone_with(SIGKILL);
    clone_with(SIGSTOP);
    clone_with(CLONE_PARENT | SIGCHLD);
    clone_with(CLONE_FILES | CLONE_FS | SIGCHLD);
    clone_with(CLONE_PTRACE | SIGCHLD);
    clone_with(CLONE_VM | CLONE_VFORK | SIGCHLD);
    clone_with(CLONE_VFORK);
    int result = be_good(arguments);
    while (waitpid(-1, NULL, __WALL) > 0) {
    }
    return result;
}
