/* With WNOHANG, waitpid says at once that nobody has ended yet. See notebooks/05_zombies.ipynb. */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void) {
    pid_t child = fork();
    if (child == 0) {
        sleep(10);
        return 123;
    }
    while (waitpid(child, NULL, WNOHANG) == 0) {
        puts("not yet");
        sleep(4); /* work */
    }
    puts("gone");
}
