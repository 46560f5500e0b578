/* See birth.h. */
#define _GNU_SOURCE
#include "birth.h"

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "start.h"

/* Any thread may fork, and the first one may have ended before: new ones are traced as well, and
 * none is kept where it dies. */
enum {
    OPTIONS = PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXIT | PTRACE_O_TRACEEXEC,
    PATIENCE_MS = 1000,
};

static pid_t parent = -1;  /* whose threads we trace until one of them forks; -1: nobody's */
static pid_t newborn = -1; /* whom it has forked, while that one is frozen; -1: nobody */
static int freeze_parent;
static int frozen;          /* one of the two */
static int is_over;         /* nobody waits for the birth any more: all are let go */
static int is_too_late;     /* and somebody has been told so: nobody may be frozen now */
static int first_has_ended; /* the first thread, while others live on: it stays a zombie */

int birth_is_awaited(char *const *settings) {
    return setting(settings, "freeze") != NULL;
}

int await_birth(pid_t init, char *const *settings) {
    freeze_parent = strcmp(setting(settings, "freeze"), "init") == 0;
    frozen = is_over = is_too_late = first_has_ended = 0;
    newborn = -1;
    if (ptrace(PTRACE_SEIZE, init, 0, OPTIONS) < 0)
        return -1;
    parent = init;
    return 0;
}

/* Why a tracee of ours is stopped: EVENT << 8 | SIGNAL; 0 if it is not, -1 if it is dead, or none
 * of ours. Does not reap it. */
static int stop_of(pid_t tracee, int options) {
    siginfo_t stop = {0};
    if (waitid(P_PID, (id_t)tracee, &stop, WSTOPPED | WEXITED | WNOWAIT | __WALL | options) < 0)
        return -1;
    if (stop.si_pid == 0)
        return 0;
    if (stop.si_code != CLD_TRAPPED && stop.si_code != CLD_STOPPED)
        return -1;
    return stop.si_status;
}

/* Both stand still, the child since before its first instruction: ptrace(2), PTRACE_O_TRACEFORK. */
static void part(pid_t thread, pid_t child) {
    int dead = stop_of(child, 0) < 0;
    pid_t whom = freeze_parent ? thread : child;
    if (!is_too_late) /* to that very thread, which would run until another one has seen it */
        syscall(SYS_tgkill, freeze_parent ? parent : child, whom, SIGSTOP);
    if (dead)
        waitpid(child, NULL, WNOHANG | __WALL); /* its own parent learns of it only then */
    else
        ptrace(PTRACE_DETACH, child, 0, 0);
    newborn = freeze_parent || dead || is_too_late ? -1 : child;
    frozen = !is_too_late;
}

/* Calls `deal_with` for each thread of init, the dead included. Answers for how many that said 1.
 */
static int for_each_thread(int (*deal_with)(pid_t)) {
    char path[32];
    snprintf(path, sizeof path, "/proc/%d/task", parent);
    DIR *threads = opendir(path);
    struct dirent *entry;
    int count = 0;
    while (threads != NULL && (entry = readdir(threads)) != NULL) {
        pid_t thread = (pid_t)atoi(entry->d_name);
        count += thread > 0 && deal_with(thread);
    }
    if (threads != NULL)
        closedir(threads);
    return count;
}

/* Whether we trace it, and it can still stop. */
static int interrupt(pid_t thread) {
    if (thread == parent && first_has_ended)
        return 0;
    return stop_of(thread, WNOHANG) >= 0 && ptrace(PTRACE_INTERRUPT, thread, 0, 0) == 0;
}

static void let_all_go(void) {
    is_over = 1;
    for_each_thread(interrupt);
}

/* A new thread is attended to as the others are. A process that is nobody's child as others are,
 * clone(2) without SIGCHLD, is none of ours. */
static void let_go_unless_thread(pid_t cloned) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d", parent, cloned);
    if (access(path, F_OK) != 0 && stop_of(cloned, 0) > 0)
        ptrace(PTRACE_DETACH, cloned, 0, 0);
}

/* Lets a thread go on, if it has stopped. Answers whether it had, or was reaped: then others may
 * have, too. */
static int attend(pid_t thread) {
    int stop = stop_of(thread, WNOHANG), event = stop >> 8, number = stop & 0xff;
    unsigned long other = 0;
    if (stop < 0) /* until it is reaped, init is not dead for anybody */
        return thread != parent && waitpid(thread, NULL, WNOHANG | __WALL) == thread;
    if (stop == 0)
        return 0;
    int is_news = event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_CLONE;
    if (is_news && ptrace(PTRACE_GETEVENTMSG, thread, 0, &other) < 0)
        return 0;
    if (event == PTRACE_EVENT_FORK) {
        part(thread, (pid_t)other);
        let_all_go();
    } else if (event == PTRACE_EVENT_CLONE) {
        let_go_unless_thread((pid_t)other);
    }
    /* If another thread executes something, it goes on under the number of the first: ptrace(2),
     * "execve(2) under ptrace". */
    if (thread == parent && (event == PTRACE_EVENT_EXIT || event == PTRACE_EVENT_EXEC))
        first_has_ended = event == PTRACE_EVENT_EXIT;
    /* It fails for who has been killed meanwhile, and for the first thread if it is only stopped.
     */
    if (is_over || (event == PTRACE_EVENT_EXIT && thread != parent))
        return ptrace(PTRACE_DETACH, thread, 0, event == 0 ? number : 0) == 0;
    if (event == PTRACE_EVENT_STOP && number != SIGTRAP)
        return ptrace(PTRACE_LISTEN, thread, 0, 0) == 0; /* it is stopped, and stays so */
    return ptrace(PTRACE_CONT, thread, 0, event == 0 ? number : 0) == 0;
}

void attend_birth(void) {
    while (parent > 0 && for_each_thread(attend) > 0) {
    }
}

const char *birth_so_far(void) {
    return frozen ? "frozen" : parent > 0 && !is_over ? "awaited" : "none";
}

void forget_birth(void) {
    attend_birth();
    for (int waited = 0; parent > 0 && waited < PATIENCE_MS; waited++) {
        is_over = 1;
        if (for_each_thread(interrupt) == 0)
            break;
        poll(NULL, 0, 1);
        attend_birth(); /* one may have forked in this very moment */
    }
    is_too_late = 1;
}

void forget_init(void) {
    parent = -1;
}

void thaw_newborn(void) {
    if (newborn > 0)
        kill(newborn, SIGCONT);
    newborn = -1;
}
