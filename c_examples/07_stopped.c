/* A signal to a process that is stopped. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0)
        return sleep(100) > 0;
    sleep(10);
    kill(child, SIGSTOP);
    sleep(10);
    kill(child, SIGTERM);
    sleep(10);
    kill(child, SIGCONT);
    wait(NULL);
}
