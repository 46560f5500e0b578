/* Exit codes that do not fit into a byte. See notebooks/04_exit_codes.ipynb. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int codes[] = {0, 255, 256, -1, 1000};
    for (int i = 0; i < 5; i++) {
        if (fork() == 0)
            exit(codes[i]);
        int status;
        wait(&status);
        printf("exit(%d) arrives as %d\n", codes[i], WEXITSTATUS(status));
    }
}
