/* The same, beside a correct init. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    if (fork() == 0)
        for (;;)
            if (fork() != 0)
                _exit(0);
    return be_good(arguments);
}
