/* Seven signals to seven children that did nothing about them. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <unistd.h>

int main(void) {
    int signals[] = {SIGTERM, SIGINT, SIGKILL, SIGHUP, SIGWINCH, SIGCONT, SIGSTOP};
    pid_t child = 0;
    for (int i = 0; i < 7; i++) {
        child = fork();
        if (child == 0)
            return sleep(100) > 0; /* seven children, P.1 to P.7 */
        kill(child, signals[i]);
    }
    sleep(50);
    kill(child, SIGCONT); /* once more, to the last child */
}
