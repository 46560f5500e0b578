/* See timers.h. */
#define _GNU_SOURCE
#include "timers.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "architecture.h"

/* Linux 5.19: a signal does not interrupt who waits for our answer. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

int report_calls(int connects, int exits) {
#if defined ARCHITECTURE && defined SECCOMP_USER_NOTIF_FLAG_CONTINUE
    enum { OLD_LIMITS = 20, NEW_LIMITS = 66 }; /* SO_RCVTIMEO and SO_SNDTIMEO, 64-bit time or not */
#define LOAD(field)                                                                                \
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offsetof(struct seccomp_data, field))
#define UNLESS(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), 0, (count))
#define IF(value, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), (count), 0)
#define REPORT() BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF)
#define ALLOW() BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
    struct sock_filter program[] = {
        LOAD(arch),
        IF(ARCHITECTURE, 1),
        ALLOW(), /* another filter refuses those */
        LOAD(nr),
        UNLESS(connects ? SYS_connect : -1, 1),
        REPORT(),
        UNLESS(exits ? SYS_exit_group : -1, 1),
        REPORT(),
        UNLESS(exits ? SYS_exit : -1, 1),
        REPORT(),
#ifdef SYS_alarm
        UNLESS(SYS_alarm, 1),
        REPORT(),
#endif
        UNLESS(SYS_timer_settime, 1),
        REPORT(),
        UNLESS(SYS_timerfd_settime, 1),
        REPORT(),
        UNLESS(SYS_setitimer, 4),
        LOAD(args[0]),
        UNLESS(ITIMER_REAL, 1), /* the others count processor time: no sleeper is woken by them */
        REPORT(),
        ALLOW(),
        UNLESS(SYS_setsockopt, 10),
        LOAD(args[1]),
        IF(SOL_SOCKET, 1),
        ALLOW(),
        LOAD(args[2]),
        IF(OLD_LIMITS, 4),
        IF(OLD_LIMITS + 1, 3),
        IF(NEW_LIMITS, 2),
        IF(NEW_LIMITS + 1, 1),
        ALLOW(),
        REPORT(),
        ALLOW(),
    };
    struct sock_fprog filter = {sizeof program / sizeof *program, program};
    unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
    long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
                            flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &filter);
    if (listener < 0 && errno == EINVAL)
        listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter);
    return (int)listener;
#else
    return -1;
#endif
}

int can_report(void) {
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        _exit(report_calls(1, 0) > 0);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return child > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 1;
}
