/* A daemon with a session of its own, which would go on after the play. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    if (fork() == 0) {
        setsid();
        if (fork() == 0)
            for (;;)
                pause();
        _exit(0);
    }
    return be_good(arguments);
}
