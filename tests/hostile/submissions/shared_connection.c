/* Connects, becomes the actor, and has a helper answer over the connection in its stead. */
#include "behave.h"
#include <fcntl.h>

int main(int count, char **arguments) {
    (void)count;
    int fd = connect_to_judge(arguments[1]);
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
    execv(arguments[1], (char *[]){arguments[1], "other", NULL});
    return 1;
}
