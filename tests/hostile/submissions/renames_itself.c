/* A process name that looks like the rest of /proc/PID/stat: dead, and somebody else's child. */
#include <sys/prctl.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    prctl(PR_SET_NAME, ") Z 1 1 1 (");
    return be_good(arguments);
}
