/* A line that was printed once comes out twice. See notebooks/02_how_many_hellos.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    printf("hello\n");
    if (fork() > 0)
        wait(NULL);
}
