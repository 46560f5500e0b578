/* If exec fails, the child goes on in the parent's program. See notebooks/03_something_else.ipynb.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    if (fork() == 0)
        execlp("no-such-command", "no-such-command", NULL);
    wait(NULL);
    printf("prompt of %d\n", getpid());
}
