/* Both come to the last line, and one of them waits. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        puts("a");
    } else {
        puts("b");
        wait(NULL);
    }
    puts("c");
}
