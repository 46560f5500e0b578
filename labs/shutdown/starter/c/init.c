/* An init that collects everybody and passes signals on, and leaves without a word when its command
 * ends: the kernel kills who is left. Make it shut down in good order: the handout (README.md) says
 * what is asked, and `make check LAB=shutdown SUBMISSION=...` how far you are.
 *
 *     ./init CMD [ARG...]
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static _Noreturn void become(char *command[]) {
    setpgid(0, 0);
    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command[0], command);
    int status = errno == ENOENT || errno == ENOTDIR ? 127 : 126;
    warn("%s", command[0]);
    _exit(status);
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        errx(2, "usage: init CMD [ARG...]");
    }
    /* Part 2, everybody: you are going to signal everybody there is. As PID 1 of a container that
     * is what you want; anywhere else it is the whole machine. getpid(2) */

    sigset_t every_signal;
    sigfillset(&every_signal);
    sigprocmask(SIG_SETMASK, &every_signal, NULL);
    signal(SIGCHLD, SIG_DFL);

    pid_t command = fork();
    if (command < 0) {
        err(126, "fork");
    }
    if (command == 0) {
        become(&argv[1]);
    }
    setpgid(command, command);

    for (;;) {
        int number = sigwaitinfo(&every_signal, NULL);
        if (number == SIGCHLD) {
            int wait_status;
            pid_t child;
            while ((child = waitpid(-1, &wait_status, WNOHANG)) > 0) {
                if (child == command) {
                    /* Part 1, goodbye: CMD has ended, the others have not. Who tells them? kill(2):
                     * what does it do with the pid -1?
                     *
                     * Part 3, the last one out: and when may you go? waitpid() has three kinds of
                     * answers; which of them says that nobody is left? */
                    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                                  : 128 + WTERMSIG(wait_status);
                }
            }
        } else if (number > 0) {
            /* Part 1, goodbye: SIGTERM to init means that all shall end, not CMD alone. And if it
             * comes twice?
             *
             * Part 4, patience: ten seconds later somebody may still be there. You wait for three
             * things at once now: can the end of a time be a signal, too? setitimer(2) */
            kill(-command, number);
        }
    }
}
