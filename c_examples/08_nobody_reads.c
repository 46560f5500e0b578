/* Who writes to a pipe that nobody can read gets SIGPIPE. See notebooks/08_talking.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    pipe(ends);
    if (fork() == 0) {
        close(ends[0]);
        sleep(10);
        write(ends[1], "hello", 5);
        printf("written\n");
        return 0;
    }
    close(ends[0]);
    wait(NULL);
}
