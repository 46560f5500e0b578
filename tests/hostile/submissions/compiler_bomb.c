/* A few bytes of source, two gigabytes of program. */
#include "behave.h"

int main(void) {
    return 0;
}
int large[1 << 29] = {1};
