/* A parent waits for the exit code of its child. See notebooks/04_exit_codes.ipynb. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t result = fork();
    if (result > 0) { /* parent process */
        int status;
        wait(&status);
        printf("status %d, exit code %d\n", status, WEXITSTATUS(status));
    } else if (result == 0) { /* child process */
        sleep(10);
        exit(123);
    }
}
