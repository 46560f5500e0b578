/* Kills who has started it, the canary and the grader. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(getppid() > 0 && kill(getppid(), SIGKILL) == 0);
    unless_refused(kill(CANARY, SIGKILL) == 0);
    unless_refused(kill(GRADER, SIGSTOP) == 0);
    return be_good(arguments);
}
