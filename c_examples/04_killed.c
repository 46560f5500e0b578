/* A killed child has no exit code. See notebooks/04_exit_codes.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        sleep(100);
        _exit(0);
    }
    sleep(10);
    kill(child, SIGTERM);
    int status;
    wait(&status);
    printf("WEXITSTATUS %d\n", WEXITSTATUS(status));
    printf("exited: %s\n", WIFEXITED(status) ? "yes" : "no");
    if (WIFSIGNALED(status))
        printf("killed by signal %d\n", WTERMSIG(status));
}
