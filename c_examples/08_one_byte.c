/* An exit status has room for one byte. See notebooks/08_talking.ipynb. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0)
        exit(300);
    int status;
    wait(&status);
    printf("the child said %d\n", WEXITSTATUS(status));
}
