/* Which of the forks does each process call? See notebooks/02_how_many_hellos.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    (void)((fork() && fork()) || fork());
    printf("hello: %d\n", getpid());
    sleep(1); /* stay a while, so that all of them are there at once */
}
