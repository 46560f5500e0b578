/* Three signals to a process that blocks them for a while. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <unistd.h>

void ring(int number) {
    if (number == SIGUSR1)
        write(1, "ring\n", 5);
}

int main(void) {
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGUSR1);
    signal(SIGUSR1, ring);
    sigprocmask(SIG_BLOCK, &mask, NULL);
    if (fork() == 0) {
        for (int i = 0; i < 3; i++) {
            sleep(10);
            kill(getppid(), SIGUSR1);
        }
        return 0;
    }
    sleep(50);
    sigprocmask(SIG_UNBLOCK, &mask, NULL);
    sleep(10);
}
