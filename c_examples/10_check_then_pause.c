/* The signal may come between the question and the pause. See notebooks/10_which_outputs.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

volatile sig_atomic_t ready = 0;

void get_ready(int signal) {
    (void)signal;
    ready = 1;
}

int main(void) {
    signal(SIGUSR1, get_ready);
    if (fork() == 0) {
        kill(getppid(), SIGUSR1);
        return 0;
    }
    if (!ready)
        pause();
    puts("awake");
}
