/* Two processes, two lines each, and nobody waits. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        puts("a");
        puts("b");
        return 0;
    }
    puts("c");
    puts("d");
}
