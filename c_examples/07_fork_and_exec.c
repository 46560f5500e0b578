/* What fork and exec do to handlers and to ignored signals. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <unistd.h>

void answer(int number) {
    if (number == SIGTERM)
        write(1, "not now\n", 8);
}

int main(void) {
    signal(SIGTERM, answer);
    signal(SIGHUP, SIG_IGN);
    pid_t copy = fork();
    if (copy == 0)
        while (1)
            pause(); /* P.1: the same program */
    pid_t other = fork();
    if (other == 0)
        execlp("sleep", "sleep", "100", NULL); /* P.2: another program */
    sleep(10);
    kill(copy, SIGHUP);
    kill(other, SIGHUP);
    sleep(10);
    kill(copy, SIGTERM);
    kill(other, SIGTERM);
    sleep(10);
    kill(copy, SIGKILL);
}
