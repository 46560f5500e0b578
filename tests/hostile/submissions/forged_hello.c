/* Says hello itself, in the name of its command, and never starts it. */
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
    static const char hello[] = "hello main 200";
    int fd = connect_to(arguments[3]);
    while (write(fd, hello, sizeof hello - 1) > 0) {
    }
    for (;;)
        pause();
}
