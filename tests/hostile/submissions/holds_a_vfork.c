/* Waits in vfork(2), which no signal interrupts, for a child that never executes anything. */
#include "behave.h"

int main(void) {
    if (vfork() == 0)
        for (;;)
            pause();
    return 1;
}
