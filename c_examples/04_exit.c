/* exit() in a child writes out the buffer that it inherited. See notebooks/04_exit_codes.ipynb. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

void goodbye(void) {
    printf("goodbye\n");
}

int main(void) {
    atexit(goodbye);
    printf("hello, ");
    if (fork() == 0)
        exit(0);
    wait(NULL);
}
