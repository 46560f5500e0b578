/* One address, two values. See notebooks/01_what_a_process_is.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int x = 1;

int main(void) {
    if (fork() == 0) {
        x = 5;
        printf("child:  at %p, x is %d\n", (void *)&x, x);
        return 0;
    }
    wait(NULL);
    printf("parent: at %p, x is %d\n", (void *)&x, x);
}
