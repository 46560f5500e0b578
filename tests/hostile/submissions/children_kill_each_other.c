/* Has children who stop, continue and kill each other, and their parent's command, as they like. */
#include "behave.h"

int main(int count, char **arguments) {
    (void)count;
    static const int signals[] = {SIGSTOP, SIGCONT, SIGKILL, SIGCHLD, SIGTSTP, SIGHUP};
    pid_t children[8];
    setpgid(0, 0);
    for (int i = 0; i < 8; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            srand((unsigned)i);
            for (int j = 0; j < 60; j++)
                kill(children[rand() % (i + 1)], signals[rand() % 6]);
            _exit(0);
        }
    }
    for (int i = 0; i < 8; i++) {
        kill(children[i], SIGCONT);
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    return be_good(arguments);
}
