/* Traces the grader, the canary and whoever has started it. */
#include <sys/ptrace.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(ptrace(PTRACE_ATTACH, GRADER, NULL, NULL) == 0);
    unless_refused(ptrace(PTRACE_ATTACH, CANARY, NULL, NULL) == 0);
    unless_refused(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL) == 0);
    return be_good(arguments);
}
