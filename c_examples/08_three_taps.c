/* Three signals, one tap: signals that wait are not counted. See notebooks/08_talking.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tapped(int number) {
    printf("tap: signal %d\n", number);
}

int main(void) {
    signal(SIGUSR1, tapped);
    pid_t child = fork();
    while (child == 0)
        pause();
    kill(child, SIGSTOP);
    sleep(1);
    for (int i = 0; i < 3; i++)
        kill(child, SIGUSR1);
    sleep(10);
    kill(child, SIGCONT);
    sleep(1);
    kill(child, SIGTERM);
    wait(NULL);
}
