/* SIGTERM meets the default, an ignorer and a handler. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <unistd.h>

void answer(int number) {
    if (number == SIGTERM)
        write(1, "not now\n", 8);
}

int main(void) {
    void (*ways[])(int) = {SIG_DFL, SIG_IGN, answer};
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            signal(SIGTERM, ways[i]);
            while (1)
                pause(); /* sleep until a signal comes */
        }
        sleep(10);
        kill(child, SIGTERM);
    }
    sleep(10);
    kill(0, SIGKILL); /* everybody who is left, and myself */
}
