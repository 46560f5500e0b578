/* Connects, becomes the actor, and has a helper answer over the connection in its stead. */
#include <fcntl.h>
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
    int fd = connect_to(arguments[3]);
    fcntl(fd, F_SETFL, 0);
    if (fork() == 0) {
        char order[4096];
        static const char hello[] = "hello main 200";
        while (read(fd, order, sizeof order) > 0)
            if (write(fd, strncmp(order, "hello", 5) ? "ok 0" : hello,
                      strncmp(order, "hello", 5) ? 4 : sizeof hello - 1) < 0)
                break;
        _exit(0);
    }
    execv(arguments[1], (char *[]){arguments[1], "other", arguments[3], NULL});
    return 1;
}
