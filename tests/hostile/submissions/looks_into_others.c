/* Traces others, reads and writes their memory, takes their descriptors, counts what they do. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/perf_event.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "behave.h"

static int opens(int process, const char *file, int how) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", process, file);
    return open(path, how) >= 0;
}

int main(int count, char **arguments) {
    (void)count;
    static const int others[] = {CANARY, GRADER};
    for (int i = 0; i < 2; i++) {
        int process = others[i], pidfd = (int)syscall(SYS_pidfd_open, process, 0), status;
        char byte = 0;
        void *page = &byte;
        struct iovec here = {&byte, 1}, there = {arguments, 1};
        struct perf_event_attr event = {.size = sizeof event, .type = PERF_TYPE_SOFTWARE};
        unless_refused(ptrace(PTRACE_SEIZE, process, NULL, NULL) == 0);
        unless_refused(ptrace(PTRACE_ATTACH, process, NULL, NULL) == 0);
        unless_refused(process_vm_readv(process, &here, 1, &there, 1, 0) >= 0);
        unless_refused(process_vm_writev(process, &here, 1, &there, 1, 0) >= 0);
        unless_refused(syscall(SYS_pidfd_getfd, pidfd, 0, 0) >= 0);
        unless_refused(syscall(SYS_kcmp, process, process, 0, 0, 1) >= 0);
        unless_refused(syscall(SYS_move_pages, process, 1L, &page, NULL, &status, 0) >= 0);
        unless_refused(syscall(440 /* process_madvise */, pidfd, &there, 1L, 21, 0) >= 0);
        unless_refused(syscall(SYS_perf_event_open, &event, process, -1, -1, 0) >= 0);
        unless_refused(opens(process, "mem", O_RDWR) || opens(process, "environ", O_RDONLY));
        unless_refused(opens(process, "oom_score_adj", O_WRONLY));
        unless_refused(opens(process, "fd/0", O_RDONLY) || opens(process, "maps", O_RDONLY));
    }
    return be_good(arguments);
}
