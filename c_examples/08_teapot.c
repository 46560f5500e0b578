/* A pipe carries bytes, not messages. See notebooks/08_talking.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int ends[2]; /* what is written to ends[1] is read from ends[0] */
    pipe(ends);
    if (fork() == 0) {
        char text[100];
        sleep(1);
        int length = read(ends[0], text, sizeof text);
        printf("%d bytes: %.*s\n", length, length, text);
        return 0;
    }
    write(ends[1], "tea", 3);
    write(ends[1], "pot", 3);
    wait(NULL);
}
