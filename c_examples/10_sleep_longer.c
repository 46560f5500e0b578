/* The parent sleeps longer. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0) {
        sleep(1);
        puts("a");
        return 0;
    }
    sleep(2);
    puts("b");
}
