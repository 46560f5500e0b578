/* Has the compiler quote a file of the grader's. */
#include "behave.h"

#include CANARY_FILE

int main(void) {
    return 0;
}
