/* A small init: starts one command, collects every process that dies under it, passes signals on.
 *
 *     ./init CMD [ARG...]
 *
 * Every signal is blocked from the first line on and fetched with sigwaitinfo(2), one at a time.
 * So there are no handlers, nothing interrupts us half-way, and what comes while we are busy, or
 * before CMD exists, stays pending until we ask for it. Blocking also makes PID 1 hear signals
 * whose default action it would ignore: a blocked signal is kept, not judged (pid_namespaces(7)).
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_EXECUTE = 126, NOT_FOUND = 127, KILLED = 128 };

/* A standard descriptor that is a terminal and has us in its foreground, or -1. An init that was
 * started in the background must not take the terminal away from the shell that did it. */
static int foreground_terminal(void) {
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (tcgetpgrp(descriptor) == getpgrp()) {
            return descriptor;
        }
    }
    return -1;
}

/* The child becomes CMD. It starts clean: what we block is our affair, and ignored signals survive
 * execve(2) just as the mask does. */
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

/* What init exits with, so that its caller learns how CMD ended. PID 1 cannot die of the signal
 * that killed CMD, so it says 128+n, as a shell does. */
static int exit_status(int wait_status) {
    return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : KILLED + WTERMSIG(wait_status);
}

/* Collects every child that is dead by now, our own and adopted ones. Returns the exit status if
 * CMD is among them, else -1.
 *
 * One SIGCHLD can stand for many deaths, so we ask until nobody is left to ask for. It can also
 * stand for none: a child that was stopped or continued raises it too, and waitpid() answers 0. */
static int collect_the_dead(pid_t command) {
    int status = -1;
    int wait_status;
    pid_t child;
    while ((child = waitpid(-1, &wait_status, WNOHANG)) > 0) {
        if (child == command) {
            status = exit_status(wait_status);
        }
    }
    return status;
}

/* Lives as long as CMD does; returns what init is to exit with.
 *
 * CMD is collected nowhere but here, and then we are done. Until then its pid cannot be used again,
 * so kill() always means CMD's group: or nobody, if all of them have left it. */
static int look_after(pid_t command, const sigset_t *every_signal) {
    for (;;) {
        int number = sigwaitinfo(every_signal, NULL);
        if (number == SIGCHLD) {
            int status = collect_the_dead(command);
            if (status >= 0) {
                return status;
            }
        } else if (number > 0) { /* -1 is EINTR: we were stopped and continued */
            kill(-command, number);
        }
    }
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        errx(USAGE, "usage: init CMD [ARG...]");
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
    /* The child does this too. It is done when the first of us two has done it: before CMD runs,
     * and before we pass a signal to the group. It fails if CMD runs already, and then it is not
     * needed. */
    setpgid(command, command);

    int status = look_after(command, &every_signal);
    if (terminal >= 0) {
        tcsetpgrp(terminal, getpgrp());
    }
    return status;
}
