/* Stops everybody but itself. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    pid_t main_process = start(arguments + 1);
    for (;;)
        kill(main_process, SIGSTOP);
}
