/* wait brings whoever has ended. See notebooks/10_which_outputs.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int status;
    if (fork() == 0)
        return 1;
    if (fork() == 0)
        return 2;
    wait(&status);
    printf("%d\n", WEXITSTATUS(status));
    wait(&status);
    printf("%d\n", WEXITSTATUS(status));
}
