/* A wait takes away some of the orders. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        puts("a");
        puts("b");
        return 0;
    }
    puts("c");
    wait(NULL);
    puts("d");
}
