/* A signal comes whenever it comes. See notebooks/10_which_outputs.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        puts("a");
        puts("b");
        return 0;
    }
    kill(child, SIGKILL);
    wait(NULL);
    puts("c");
}
