/* A subreaper adopts the orphans among its descendants. See notebooks/06_orphans.ipynb. */
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* new */
    if (fork() == 0) {
        if (fork() == 0) {
            sleep(10);
            return 123;
        }
        sleep(1);
        return 0;
    }
    int status;
    while (wait(&status) > 0)
        printf("a child exited with %d\n", WEXITSTATUS(status));
}
