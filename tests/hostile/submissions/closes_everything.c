/* Closes every descriptor that it has. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
    return be_good(arguments);
}
