/* Becomes root of namespaces of its own, and mounts. */
#define _GNU_SOURCE
#include <sched.h>
#include <sys/mount.h>
#include <sys/syscall.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(unshare(CLONE_NEWUSER) == 0);
    unless_refused(unshare(CLONE_NEWNS) == 0);
    unless_refused(mount("proc", "/proc", "proc", 0, NULL) == 0);
    unless_refused(umount("/proc") == 0);
    unless_refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) > 0);
    return be_good(arguments);
}
