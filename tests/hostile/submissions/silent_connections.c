/* Connects to the grader again and again, and says nothing. */
#include <sys/socket.h>
#include <sys/un.h>

#include "behave.h"

static int connect_to(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strncpy(address.sun_path, path, sizeof address.sun_path - 1);
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);
    return connect(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -1 : fd;
}

int main(int count, char **arguments) {
    (void)count;
    for (int i = 0; i < 3000; i++)
        close(connect_to(arguments[3]));
    for (int i = 0; i < 200; i++)
        connect_to(arguments[3]);
    return be_good(arguments);
}
