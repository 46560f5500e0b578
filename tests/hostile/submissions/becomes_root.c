/* Becomes root, and leaves a set-uid program. */
#include <sys/stat.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    unless_refused(getuid() == 0 || geteuid() == 0);
    unless_refused(setuid(0) == 0 || setgid(0) == 0);
    unless_refused(!is_ours(arguments[0]) && chmod(arguments[0], 04755) == 0);
    return be_good(arguments);
}
