/* Starts a command as a daemon: nobody's child but init's, in a session of its own, away from the
 * terminal that it was started at.
 *
 *     ./daemonize CMD [ARG...]
 *
 * Three processes: the caller waits, until it knows what became of CMD; the middle one leads the
 * new session and ends at once; the daemon executes CMD. The caller learns by a pipe that is closed
 * on exec: its end means that CMD runs, and anything that is read from it, why it does not.
 */
#define _GNU_SOURCE /* pipe2() */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { USAGE = 2, CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/* The same file under a number above the standard descriptors. Where 0, 1 or 2 were closed the pipe
 * got that number, and the daemon would put /dev/null in its place. */
static int above_standard(int descriptor) {
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (copy < 0) {
        err(CANNOT_EXECUTE, "fcntl");
    }
    close(descriptor);
    return copy;
}

/* Tells the caller why CMD does not run, and ends. An int is written at once or not at all
 * (PIPE_BUF, pipe(7)). */
static _Noreturn void give_up(int report) {
    int reason = errno;
    ssize_t written = write(report, &reason, sizeof reason);
    (void)written; /* if the caller is gone nobody wants to know */
    _exit(CANNOT_EXECUTE);
}

/* The third process becomes CMD. It belongs to the new session but does not lead it, so it can
 * never get a controlling terminal by opening one (credentials(7)). */
static _Noreturn void become(char *command[], int report) {
    if (chdir("/") < 0) {
        give_up(report);
    }
    int nowhere = open("/dev/null", O_RDWR);
    if (nowhere < 0) {
        give_up(report);
    }
    for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
        if (dup2(nowhere, descriptor) < 0) {
            give_up(report);
        }
    }
    if (nowhere > STDERR_FILENO) {
        close(nowhere);
    }
    execvp(command[0], command);
    give_up(report);
}

/* The second process: whose child the daemon is, until it ends. */
static _Noreturn void stand_between(char *command[], int report) {
    if (setsid() < 0) { /* fails for a group's leader, which a child is not */
        give_up(report);
    }
    pid_t daemon = fork();
    if (daemon < 0) {
        give_up(report);
    }
    if (daemon == 0) {
        become(command, report);
    }
    _exit(0);
}

int main(int argc, char *argv[]) {
    if (argc < 2) {
        errx(USAGE, "usage: daemonize CMD [ARG...]");
    }
    int report[2];
    if (pipe2(report, O_CLOEXEC) < 0) {
        err(CANNOT_EXECUTE, "pipe");
    }
    report[0] = above_standard(report[0]);
    report[1] = above_standard(report[1]);

    pid_t middle = fork();
    if (middle < 0) {
        err(CANNOT_EXECUTE, "fork");
    }
    if (middle == 0) {
        close(report[0]);
        stand_between(&argv[1], report[1]);
    }
    close(report[1]); /* or we wait for the end of what we could still write ourselves */
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) {
    }

    int reason;
    ssize_t length;
    while ((length = read(report[0], &reason, sizeof reason)) < 0 && errno == EINTR) {
    }
    if (length == 0) {
        return 0;
    }
    errno = reason;
    warn("%s", argv[1]);
    return reason == ENOENT || reason == ENOTDIR ? NOT_FOUND : CANNOT_EXECUTE;
}
