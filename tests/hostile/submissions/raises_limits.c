/* Takes its limits away. */
#include <sys/resource.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    unless_refused(setrlimit(RLIMIT_FSIZE, &none) == 0);
    unless_refused(setrlimit(RLIMIT_NPROC, &none) == 0);
    unless_refused(setrlimit(RLIMIT_CPU, &none) == 0);
    return be_good(arguments);
}
