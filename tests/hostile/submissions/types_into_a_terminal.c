/* Opens somebody's terminal, and types into its own as if somebody else did. */
#include <fcntl.h>
#include <sys/ioctl.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    char path[64];
    int terminal = open(TERMINAL, O_RDWR | O_NOCTTY);
    unless_refused(terminal >= 0 && write(terminal, "typed", 5) == 5);
    for (int number = 0; number < 64; number++) {
        snprintf(path, sizeof path, "/dev/pts/%d", number);
        if (ttyname(0) == NULL || strcmp(path, ttyname(0)) != 0)
            unless_refused(open(path, O_RDWR | O_NOCTTY) >= 0);
    }
    unless_refused(open("/dev/pts/ptmx", O_RDWR | O_CLOEXEC) >= 0 &&
                   access("/submission", F_OK) < 0);
    unless_refused(ioctl(0, TIOCSTI, "x") == 0);
    return be_good(arguments);
}
