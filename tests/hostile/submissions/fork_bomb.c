/* Forks without end. */
#include "behave.h"

int main(void) {
    for (;;)
        fork();
}
