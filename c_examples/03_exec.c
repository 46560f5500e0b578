/* exec does not come back: the same process runs another program. See
 * notebooks/03_something_else.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    printf("I am %d\n", getpid());
    execlp("sh", "sh", "-c", "echo I am $$; exit 7", NULL);
    printf("back again\n");
}
