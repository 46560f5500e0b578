/* fork copies what printf still holds back. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    puts("a");
    if (fork() == 0)
        puts("b");
    else
        wait(NULL);
    puts("c");
}
