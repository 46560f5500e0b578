/* A reader that waits for ever, because it could write itself. See notebooks/08_talking.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int ends[2], length;
    char text[100];
    pipe(ends);
    if (fork() == 0) {
        while ((length = read(ends[0], text, sizeof text)) > 0)
            printf("read: %.*s\n", length, text);
        printf("end\n");
        return 0;
    }
    write(ends[1], "abc", 3);
    close(ends[1]);
    wait(NULL);
}
