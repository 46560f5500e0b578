/* A chain of processes, each of which forks the next and exits: never there when one looks. */
#include "behave.h"

int main(void) {
    if (fork() == 0)
        for (;;)
            if (fork() != 0)
                _exit(0);
    for (;;)
        wait(NULL);
}
