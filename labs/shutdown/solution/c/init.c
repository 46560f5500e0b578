/* A small init that tidies up: when its command ends, or SIGTERM comes, it says so to all that are
 * left, gives them ten seconds, and ends those that are still there.
 *
 *     ./init CMD [ARG...]
 *
 * Only for PID 1: it signals everybody in its PID namespace, and anywhere else that would be the
 * whole machine.
 *
 * As in the lab init, every signal is blocked from the first line on and fetched with
 * sigwaitinfo(2), one at a time. That the ten seconds are over is a signal too.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_EXECUTE = 126, NOT_FOUND = 127, KILLED = 128 };
enum { EVERYBODY = -1, GRACE = 10 /* seconds */ };

/* A standard descriptor that is a terminal and has us in its foreground, or -1. */
static int foreground_terminal(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (tcgetpgrp(descriptor) == getpgrp()) {
            return descriptor;
        }
    }
    return -1;
}

/* The child becomes CMD, and starts clean. */
static _Noreturn void become(char *command[], int terminal) {
    setpgid(0, 0);
    if (terminal >= 0) {
        tcsetpgrp(terminal, getpid()); /* from the background: SIGTTOU must still be blocked here */
    }
    for (int number = 1; number < NSIG; number++) {
        signal(number, SIG_DFL); /* fails for SIGKILL, SIGSTOP and two that belong to libc: fine */
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    execvp(command[0], command);
    int status = errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
    warn("%s", command[0]);
    _exit(status);
}

static int exit_status(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : KILLED + WTERMSIG(wait_status);
}

/* Collects every child that is dead by now. Stores CMD's exit status if it is among them. Returns
 * whether anybody is left: whoever lives in our namespace is our child, or the child of one who
 * lives. */
static bool collect_the_dead(pid_t command, int *status) {
    int wait_status;
    pid_t child;
    while ((child = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (child == command) {
            *status = exit_status(wait_status);
        }
    }
    return child == 0;
}

static time_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time); /* which nobody can set */
    return time.tv_sec;
}

/* Says goodbye to everybody; returns when their time is over. Who is stopped can hear nothing. */
static time_t begin_shutdown(void) {
    time_t deadline = now() + GRACE;
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_sec = GRACE}}, NULL);
    kill(EVERYBODY, SIGTERM);
    kill(EVERYBODY, SIGCONT);
    return deadline;
}

/* Lives until nobody else does; returns what init is to exit with. */
static int look_after(pid_t command, const sigset_t *every_signal) {
    int status = -1;     /* CMD has not been collected yet */
    time_t deadline = 0; /* and there is no shutdown */
    for (;;) {
        int number = sigwaitinfo(every_signal, NULL);
        if (number == SIGCHLD) {
            bool somebody_is_left = collect_the_dead(command, &status);
            if (status >= 0 && !somebody_is_left) {
                return status;
            }
            if (status >= 0 && deadline == 0) {
                deadline = begin_shutdown();
            }
        } else if (number == SIGTERM) {
            if (deadline == 0) { /* once: a second one neither repeats nor prolongs it */
                deadline = begin_shutdown();
            }
        } else if (number == SIGALRM && deadline != 0 && now() >= deadline) {
            kill(EVERYBODY, SIGKILL);
        } else if (number > 0 && status < 0) { /* as long as CMD's pid is its own */
            kill(-command, number);
        }
    }
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        errx(USAGE, "usage: init CMD [ARG...]");
    }
    if (getpid() != 1) {
        errx(USAGE, "only as PID 1: it signals everybody");
    }

    sigset_t every_signal;
    sigfillset(&every_signal);
    sigprocmask(SIG_SETMASK, &every_signal, NULL);
    signal(SIGCHLD, SIG_DFL); /* were it ignored, children would vanish without a status: wait(2) */
    int terminal = foreground_terminal();

    pid_t command = fork();
    if (command < 0) {
        err(CANNOT_EXECUTE, "fork");
    }
    if (command == 0) {
        become(&argv[1], terminal);
    }
    setpgid(command, command); /* the child does this too: it is done when one of us has done it */

    int status = look_after(command, &every_signal);
    if (terminal >= 0) {
        tcsetpgrp(terminal, getpgrp());
    }
    return status;
}
