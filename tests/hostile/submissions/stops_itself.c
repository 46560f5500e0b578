/* Stops itself for ever. */
#include "behave.h"

int main(void) {
    for (;;)
        raise(SIGSTOP);
}
