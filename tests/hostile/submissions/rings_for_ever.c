/* Has eight timers ring as often as they can, so that nobody ever comes to rest. */
#include <sys/time.h>
#include <time.h>

#include "behave.h"

static void hear(int number) {
    (void)number;
}

int main(int count, char **arguments) {
    (void)count;
    struct itimerspec often = {{0, 1}, {0, 1}};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerval alarms = {{0, 1}, {0, 1}};
    timer_t timer;
    pid_t child = start(arguments + 1), dead;
    int status;
    signal(SIGUSR1, hear);
    signal(SIGALRM, hear);
    setitimer(ITIMER_REAL, &alarms, NULL);
    for (int i = 0; i < 8; i++)
        if (timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
            timer_settime(timer, 0, &often, NULL);
    while ((dead = wait(&status)) != child || dead < 0) {
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
