/* Runs a command, and ends it and all that it has started if it takes too long.
 *
 *     ./timeout [-k S] SECONDS CMD [ARG...]
 *
 * Three things can happen while CMD runs: it ends, the time is up, or somebody sends us a signal
 * that is meant for it. Each announces itself by a signal; all are blocked, and fetched one by one
 * with sigwaitinfo(2). So there are no handlers, and nothing can come between a look and a sleep.
 */
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TIMED_OUT = 124, FAILED = 125, CANNOT_EXECUTE = 126, NOT_FOUND = 127, KILLED = 128 };

/* What ends a process, and is usually sent to the one that was started: to us. */
static const int passed_on[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

static const double LONGEST = 1e9; /* seconds: more than thirty years is for ever */

static _Noreturn void usage(void) {
    errx(FAILED, "usage: timeout [-k S] SECONDS CMD [ARG...]");
}

static double seconds_of(const char *text) {
    char *end;
    double seconds = strtod(text, &end);
    if (end == text || *end != '\0' || !(seconds >= 0)) { /* not a number is not >= 0 either */
        warnx("%s: not a number of seconds", text);
        usage();
    }
    return seconds < LONGEST ? seconds : LONGEST;
}

/* Has SIGALRM come after so many seconds; 0 means never. */
static void set_alarm(double seconds) {
    long whole = (long)seconds;
    long micro = (long)((seconds - (double)whole) * 1e6 + 0.5);
    if (seconds > 0 && whole == 0 && micro == 0) {
        micro = 1; /* setitimer() takes 0 for "never" too */
    }
    struct itimerval timer = {
        .it_value = {.tv_sec = whole + micro / 1000000, .tv_usec = micro % 1000000}};
    setitimer(ITIMER_REAL, &timer, NULL);
}

/* Sends a signal to CMD and to everybody whom it has started. They are in our process group, and so
 * are we. What we have sent to ourselves is pending now, and would be passed on once more; but what
 * becomes ignored while it is pending is thrown away. CMD may have left the group meanwhile. */
static void signal_everybody(pid_t command, int number) {
    if (number == SIGKILL) {
        kill(command, number); /* we do not live to see the end of the next line */
    }
    kill(0, number);
    signal(number, SIG_IGN);
    signal(number, SIG_DFL);
    if (getpgid(command) != getpgrp()) {
        kill(command, number);
    }
    /* Who is stopped cannot die. */
    kill(0, SIGCONT);
    kill(command, SIGCONT);
}

/* Waits until CMD ends; returns what we are to exit with. */
static int look_after(pid_t command, const sigset_t *awaited, double grace) {
    bool timed_out = false;
    int when_time_is_up = SIGTERM;
    for (;;) {
        int number = sigwaitinfo(awaited, NULL);

        /* Whatever woke us: who has ended by now has ended in time. */
        int wait_status;
        if (waitpid(command, &wait_status, WNOHANG) == command) {
            bool killed = WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
            if (timed_out && !killed) {
                return TIMED_OUT;
            }
            return WIFEXITED(wait_status) ? WEXITSTATUS(wait_status)
                                          : KILLED + WTERMSIG(wait_status);
        }
        if (number < 0 || number == SIGCHLD) {
            continue; /* it was stopped or continued, or we were */
        }
        if (number == SIGALRM) {
            timed_out = true;
            number = when_time_is_up;
        }
        signal_everybody(command, number);
        if (grace > 0) {
            when_time_is_up = SIGKILL;
            set_alarm(grace);
            grace = 0;
        }
    }
}

int main(int argc, char *argv[]) {
    double grace = 0;
    int option;
    while ((option = getopt(argc, argv, "+k:")) != -1) { /* +: what follows CMD is its own */
        if (option != 'k') {
            usage();
        }
        grace = seconds_of(optarg);
    }
    if (argc - optind < 2) {
        usage();
    }
    double seconds = seconds_of(argv[optind]);
    char **command = &argv[optind + 1];

    /* A group of our own, so that we can signal all of it and nobody else. Who is its leader
     * already, as at a shell, stays it. */
    setpgid(0, 0);

    sigset_t awaited;
    sigset_t inherited;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGALRM);
    sigaddset(&awaited, SIGCHLD);
    for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++) {
        sigaddset(&awaited, passed_on[i]);
    }
    sigprocmask(SIG_BLOCK, &awaited, &inherited);
    signal(SIGCHLD, SIG_DFL); /* were it ignored, CMD would vanish without a status: wait(2) */

    pid_t child = fork();
    if (child < 0) {
        err(FAILED, "fork");
    }
    if (child == 0) {
        /* A blocked signal stays blocked when a program is executed. What has come for CMD until
         * now comes to it here. */
        sigprocmask(SIG_SETMASK, &inherited, NULL);
        execvp(command[0], command);
        int status = errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
        warn("%s", command[0]);
        _exit(status);
    }
    set_alarm(seconds); /* after the fork: a child has no timers, but from here on CMD runs */
    return look_after(child, &awaited, grace);
}
