/* Has the compiler read something that never ends. */
#include "behave.h"

#include "/dev/zero"

int main(void) {
    return 0;
}
