/* What these inits have in common: each starts a command in a group of its own, and ends as that
 * did. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

static void on(int number, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

/* Changes the mask by one signal; answers what it was. */
static sigset_t mask(int how, int number) {
    sigset_t changed, before;
    sigemptyset(&changed);
    sigaddset(&changed, number);
    sigprocmask(how, &changed, &before);
    return before;
}

/* In the child. What is caught is not inherited, what is blocked is. */
static _Noreturn void become(char *command[]) {
    sigset_t none;
    setpgid(0, 0);
    signal(SIGTERM, SIG_DFL);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execvp(command[0], command);
    _exit(127);
}

static int fate(int status) {
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
