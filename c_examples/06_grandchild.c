/* A grandparent inherits no orphan and learns no status. See notebooks/06_orphans.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        if (fork() == 0) {
            sleep(10);
            return 123; /* the grandchild */
        }
        sleep(1);
        return 0; /* the parent in the middle */
    }
    int status;
    while (wait(&status) > 0)
        printf("a child exited with %d\n", WEXITSTATUS(status));
}
