/* One fork: how many hellos? See notebooks/02_how_many_hellos.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    fork();
    printf("hello: %d\n", getpid());
    getchar(); /* stay, so that we can look at the tree */
}
