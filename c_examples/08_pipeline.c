/* echo | wc, as a shell does it. See notebooks/08_talking.ipynb. */
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int ends[2];
    pipe(ends);
    if (fork() == 0) {
        dup2(ends[1], 1); /* standard output is the pipe now */
        close(ends[0]);
        close(ends[1]);
        execlp("echo", "echo", "tea", "pot", NULL);
    }
    if (fork() == 0) {
        dup2(ends[0], 0); /* standard input is the pipe now */
        close(ends[0]);
        close(ends[1]);
        execlp("wc", "wc", "-w", NULL);
    }
    close(ends[0]);
    close(ends[1]);
    while (wait(NULL) > 0)
        continue;
}
