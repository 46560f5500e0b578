/* Two children, and one or two signals. See notebooks/10_which_outputs.ipynb. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

void child_ended(int signal) {
    (void)signal;
    wait(NULL);
    write(1, "reaped\n", 7);
}

int main(void) {
    signal(SIGCHLD, child_ended);
    for (int i = 0; i < 2; i++)
        if (fork() == 0)
            return 0;
    for (int left = 10; left > 0;)
        left = sleep(left);
}
