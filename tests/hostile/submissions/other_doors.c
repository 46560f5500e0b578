/* Calls the kernel by other doors, asks to be traced, and hides behind filters of all kinds. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include "behave.h"

enum { NEW_TIME = 0x80, X32 = 0x40000000 };

int main(int count, char **arguments) {
    (void)count;
    struct sock_filter allows[] = {BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)};
    struct sock_fprog program = {1, allows};
#ifdef __x86_64__
    long result;
    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "r8", "r9", "r10", "r11", "memory");
    unless_refused(result != -ENOSYS); /* getpid */
    unless_refused(syscall(X32 | SYS_getpid) >= 0);
#endif
    unless_refused(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    unless_refused(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0);
    unless_refused(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0);
    unless_refused(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                           &program) >= 0);
    unless_refused(syscall(SYS_unshare, NEW_TIME) == 0);
    unless_refused(syscall(SYS_io_uring_setup, 8, NULL) >= 0);
    unless_refused(syscall(SYS_userfaultfd, 0) >= 0);
    personality(PER_LINUX32 | READ_IMPLIES_EXEC);
    /* What no kernel has; but actors get their orders by it. */
    char room[4096];
    for (long what = -1; what < 8; what++)
        unless_refused(syscall(400, what, room, sizeof room) >= 0);
    return be_good(arguments);
}
