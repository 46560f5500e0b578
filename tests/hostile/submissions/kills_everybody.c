/* kill(-1): whoever it may signal. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    kill(-1, SIGKILL);
    return be_good(arguments);
}
