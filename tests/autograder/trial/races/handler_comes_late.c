/* It asks for SIGTERM once its command runs. Until then a PID 1 has no use for it, and the kernel
 * drops it. */
#include "init.h"

static volatile pid_t command;

static void pass_on(int number) {
    kill(-command, number);
}

int main(int count, char *arguments[]) {
    int status;
    (void)count;
    sigset_t before;
    sigprocmask(SIG_SETMASK, NULL, &before);
#ifdef MENDED
    mask(SIG_BLOCK, SIGTERM);
#endif
    command = fork();
    if (command == 0)
        become(arguments + 1);
    setpgid(command, command);
    on(SIGTERM, pass_on);
    sigprocmask(SIG_SETMASK, &before, NULL);
    while (wait(&status) != command)
        continue;
    return fate(status);
}
