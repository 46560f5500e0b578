/* See birth.h. */
#define _GNU_SOURCE
#include "birth.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "start.h"

static pid_t parent = -1;  /* whom we trace until it forks; -1: nobody */
static pid_t newborn = -1; /* whom it has forked, while that one is frozen; -1: nobody */
static int freeze_parent;
static int frozen; /* one of the two */

int birth_is_awaited(char *const *settings) {
    return setting(settings, "freeze") != NULL;
}

int await_birth(pid_t init, char *const *settings) {
    freeze_parent = strcmp(setting(settings, "freeze"), "init") == 0;
    frozen = 0;
    newborn = -1;
    if (ptrace(PTRACE_SEIZE, init, 0, PTRACE_O_TRACEFORK) < 0)
        return -1;
    parent = init;
    return 0;
}

/* Why a tracee of ours is stopped: EVENT << 8 | SIGNAL; 0 if it is not, -1 if it is dead. Does not
 * reap it. */
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
static void part(pid_t child) {
    int dead = stop_of(child, 0) < 0;
    kill(freeze_parent ? parent : child, SIGSTOP);
    if (dead)
        waitpid(child, NULL, WNOHANG | __WALL); /* its own parent learns of it only then */
    else
        ptrace(PTRACE_DETACH, child, 0, 0);
    ptrace(PTRACE_DETACH, parent, 0, 0);
    newborn = freeze_parent || dead ? -1 : child;
    parent = -1;
    frozen = 1;
}

void attend_birth(void) {
    unsigned long child;
    int stop;
    while (parent > 0 && (stop = stop_of(parent, WNOHANG)) > 0) {
        int event = stop >> 8, number = stop & 0xff;
        if (event == PTRACE_EVENT_FORK && ptrace(PTRACE_GETEVENTMSG, parent, 0, &child) == 0)
            part((pid_t)child);
        else if (event == PTRACE_EVENT_STOP && number != SIGTRAP)
            ptrace(PTRACE_LISTEN, parent, 0, 0); /* it is stopped, and stays so */
        else
            ptrace(PTRACE_CONT, parent, 0, event == 0 ? number : 0);
    }
}

const char *birth_so_far(void) {
    return parent > 0 ? "awaited" : frozen ? "frozen" : "none";
}

void forget_birth(void) {
    attend_birth();
    if (parent < 0)
        return;
    ptrace(PTRACE_INTERRUPT, parent, 0, 0);
    int stop = stop_of(parent, 0);
    if (stop >> 8 == PTRACE_EVENT_FORK)
        attend_birth(); /* in this very moment */
    else if (stop > 0)
        ptrace(PTRACE_DETACH, parent, 0, stop >> 8 == 0 ? stop : 0);
    parent = -1;
}

void thaw_newborn(void) {
    if (newborn > 0)
        kill(newborn, SIGCONT);
    newborn = -1;
}
