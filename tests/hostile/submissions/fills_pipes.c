/* Fills all the pipes that it can have, and waits for room in the last one. */
#define _GNU_SOURCE
#include <fcntl.h>

#include "behave.h"

int main(void) {
    static char much[1 << 16];
    int ends[2], last = -1;
    while (pipe(ends) == 0) {
        last = ends[1];
        fcntl(last, F_SETFL, O_NONBLOCK);
        while (write(last, much, sizeof much) > 0) {
        }
    }
    fcntl(last, F_SETFL, 0);
    return write(last, much, sizeof much) > 0;
}
