/* Forbids everybody of its rank to look into it, before and after its command is there. */
#include <sys/prctl.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    prctl(PR_SET_DUMPABLE, 0);
    prctl(65, 1, 0, 0, 0); /* PR_SET_MDWE: no page of it can become code any more */
    return be_good(arguments);
}
