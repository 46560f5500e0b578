/* A child that stops, continues and exits. See notebooks/04_exit_codes.ipynb. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    int status;
    pid_t child = fork();
    if (child == 0) {
        raise(SIGSTOP);
        sleep(5);
        _exit(7);
    }
    waitpid(child, &status, WUNTRACED);
    printf("stopped by %d: %d\n", WSTOPSIG(status), WIFSTOPPED(status) != 0);
    sleep(10);
    kill(child, SIGCONT);
    waitpid(child, &status, WCONTINUED);
    printf("continued: %d\n", WIFCONTINUED(status) != 0);
    waitpid(child, &status, 0);
    printf("exited with %d: %d\n", WEXITSTATUS(status), WIFEXITED(status) != 0);
}
