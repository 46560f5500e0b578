/* The heart of a shell: fork, exec, wait. See notebooks/03_something_else.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    char *commands[] = {"true", "false", "no-such-command"};
    for (int i = 0; i < 3; i++) {
        pid_t child = fork();
        if (child == 0) {
            execlp(commands[i], commands[i], NULL);
            _exit(127); /* we come here only if the exec failed */
        }
        int status;
        waitpid(child, &status, 0);
        printf("%s: %d\n", commands[i], WEXITSTATUS(status));
    }
}
