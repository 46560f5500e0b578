/* At ^C the terminal signals a whole group. See notebooks/07_signals.ipynb. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t job = fork();
    if (job == 0) {
        setpgid(0, 0); /* a group of its own, as a shell makes one for each job */
        fork();
        fork();
        return sleep(100) > 0;
    }
    sleep(10);
    kill(-job, SIGINT); /* minus: to all of the group */
    wait(NULL);
    sleep(10);
}
