/* Has the kernel send SIGKILL to others in its name, whenever there is something to be read. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    static const int others[] = {CANARY, GRADER};
    for (int i = 0; i < 2; i++) {
        int pair[2], owner = others[i];
        struct f_owner_ex every_thread = {F_OWNER_PID, owner};
        socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
        fcntl(pair[0], F_SETSIG, SIGKILL);
        int worked = fcntl(pair[0], F_SETOWN, owner) == 0;
        worked |= fcntl(pair[0], F_SETOWN_EX, &every_thread) == 0;
        worked |= ioctl(pair[0], FIOSETOWN, &owner) == 0;
        fcntl(pair[0], F_SETFL, O_ASYNC);
        unless_refused(write(pair[1], "x", 1) == 1 && worked);
    }
    return be_good(arguments);
}
