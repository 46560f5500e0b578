/* fork returns twice, with two answers. See notebooks/03_something_else.ipynb. */
#include <stdio.h>
#include <unistd.h>

int main(void) {
    pid_t result = fork();
    if (result > 0) { /* parent process */
        printf("parent %d: fork returned %d\n", getpid(), result);
        sleep(100);
    } else if (result == 0) { /* child process */
        printf("child %d: fork returned %d\n", getpid(), result);
        sleep(10);
    } else { /* error */
        perror("fork");
    }
}
