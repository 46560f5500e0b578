/* When a parent ends, PID 1 becomes the parent of its child. See notebooks/06_orphans.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        printf("before: %d\n", getppid());
        sleep(10);
        printf("after: %d\n", getppid());
        return 123;
    }
    sleep(1);
}
