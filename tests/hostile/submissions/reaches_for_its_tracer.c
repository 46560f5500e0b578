/* Reaches for whoever traces it: by signals, memory, descriptors, limits. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "behave.h"

static void reach_for(pid_t tracer) {
    char path[64], room[64];
    struct iovec here = {room, sizeof room}, there = {(void *)&kill, sizeof room};
    struct rlimit few = {8, 8};
    cpu_set_t first;
    CPU_ZERO(&first);
    CPU_SET(0, &first);
    unless_refused(kill(tracer, SIGCONT) == 0);
    unless_refused(sigqueue(tracer, SIGCONT, (union sigval){0}) == 0);
    unless_refused(ptrace(PTRACE_ATTACH, tracer, NULL, NULL) == 0);
    unless_refused(ptrace(PTRACE_SEIZE, tracer, NULL, NULL) == 0);
    unless_refused(process_vm_readv(tracer, &here, 1, &there, 1, 0) >= 0);
    unless_refused(process_vm_writev(tracer, &here, 1, &there, 1, 0) >= 0);
    unless_refused(syscall(SYS_prlimit64, tracer, RLIMIT_NOFILE, &few, NULL) == 0);
    unless_refused(sched_setaffinity(tracer, sizeof first, &first) == 0);
    unless_refused(setpriority(PRIO_PROCESS, (id_t)tracer, 19) == 0);
    long descriptor = syscall(SYS_pidfd_open, tracer, 0);
    unless_refused(syscall(SYS_pidfd_send_signal, descriptor, SIGCONT, NULL, 0) == 0);
    unless_refused(syscall(SYS_pidfd_getfd, descriptor, 0, 0) >= 0);
    static const char *const files[] = {"mem", "environ", "maps", "fd/0", "cwd/.", "root/.", "exe"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "/proc/%d/%s", (int)tracer, files[i]);
        unless_refused(open(path, O_RDONLY) >= 0);
    }
}

int main(int count, char **arguments) {
    (void)count;
    char line[256];
    int tracer = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        sscanf(line, "TracerPid: %d", &tracer);
    if (tracer > 0)
        reach_for(tracer);
    reach_for(GRADER);
    return be_good(arguments);
}
