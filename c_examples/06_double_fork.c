/* Two forks make a daemon: init is its parent. See notebooks/06_orphans.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t middle = fork();
    if (middle == 0) {
        setsid(); /* a session of its own, without a terminal */
        if (fork() > 0)
            _exit(0); /* the middle process */
        sleep(10);
        printf("daemon: session %d, parent %d\n", getsid(0), getppid());
        return 0;
    }
    waitpid(middle, NULL, 0);
    sleep(100); /* work, and never wait again */
}
