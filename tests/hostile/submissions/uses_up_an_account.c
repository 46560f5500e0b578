/* Takes what an account has little of: queued signals, instances of inotify; and doors to the
 * kernel. */
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    static char nothing[256];
    sigset_t all;
    unless_refused(inotify_init1(0) >= 0);
    unless_refused(syscall(SYS_userfaultfd, 1) >= 0);
    unless_refused(syscall(SYS_io_uring_setup, 8, nothing) >= 0);
    unless_refused(syscall(SYS_memfd_create, "left", 0) >= 0);
    unless_refused(syscall(SYS_fanotify_init, 0, 0) >= 0);
    unless_refused(syscall(SYS_bpf, 0, nothing, sizeof nothing) >= 0);
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    int queued = 0;
    while (queued < 5000 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
        queued++;
    unless_refused(queued > 1024);
    sigemptyset(&all);
    signal(SIGRTMIN, SIG_IGN);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGRTMIN, SIG_DFL);
    return be_good(arguments);
}
