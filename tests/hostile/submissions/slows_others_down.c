/* Takes the processor from others: by priority, policy, affinity, and that of their input and
 * output. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    static const int others[] = {CANARY, GRADER};
    struct sched_param parameter = {0};
    struct {
        uint32_t size, policy;
        uint64_t rest[5];
    } attributes = {48, SCHED_IDLE, {0}};
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    for (int i = 0; i < 2; i++) {
        unless_refused(setpriority(PRIO_PROCESS, (id_t)others[i], 19) == 0);
        unless_refused(setpriority(PRIO_PGRP, (id_t)others[i], 19) == 0);
        unless_refused(sched_setscheduler(others[i], SCHED_IDLE, &parameter) == 0);
        unless_refused(sched_setparam(others[i], &parameter) == 0);
        unless_refused(syscall(SYS_sched_setattr, others[i], &attributes, 0) == 0);
        unless_refused(sched_setaffinity(others[i], sizeof one, &one) == 0);
        unless_refused(syscall(SYS_ioprio_set, 1, others[i], 3 << 13) == 0);
        unless_refused(prctl(62 /* PR_SCHED_CORE */, 1, others[i], 0, 0) == 0);
    }
    unless_refused(setpriority(PRIO_USER, 0, 19) == 0);
    unless_refused(syscall(SYS_ioprio_set, 3, 0, 3 << 13) == 0);
    return be_good(arguments);
}
