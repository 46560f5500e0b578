/* It follows the wrong one, and waits for ever. See notebooks/13_events.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int told[2];
    pipe(told);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    pid_t first = fork();
    if (first == 0) {
        pid_t middle = fork();
        if (middle == 0) {
            setsid();
            pid_t me = getpid();
            write(told[1], &me, sizeof me);
            if (fork() > 0)
                _exit(0); /* the one in the middle */
            pause();      /* the daemon: it serves until somebody ends it */
        }
        waitpid(middle, NULL, 0);
        _exit(0); /* all is ready */
    }
    pid_t followed;
    read(told[0], &followed, sizeof followed);
    waitpid(first, NULL, 0);
    printf("start/running, process %d\n", followed);
    sleep(10);
    printf("stop\n");
    kill(followed, SIGTERM);
    while (wait(NULL) != followed)
        ;
    printf("stop/waiting\n");
}
