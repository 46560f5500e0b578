/* Eight processes that take memory, each of them less than would be noticed. */
#include "behave.h"

int main(void) {
    for (int i = 0; i < 8; i++)
        if (fork() == 0) {
            for (int k = 0; k < 120; k++)
                memset(malloc(1 << 20), 1, 1 << 20);
            for (;;)
                pause();
        }
    for (;;)
        pause();
}
