/* Starts what it is told to start, and tells how each of them ended.
 *
 *     ./server
 *
 * It reads lines "run NAME". Two things can happen at any moment, a line and a death, and it sleeps
 * in one place for both: ppoll(2) waits for input, and lets SIGCHLD interrupt it. Everywhere else
 * SIGCHLD is blocked. So no death can come between the look at the children and the sleep, and no
 * other call is ever interrupted.
 */
#define _GNU_SOURCE /* ppoll(), sigabbrev_np() */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TROUBLE = 1, NOT_FOUND = 127, LONGEST_LINE = 4096 };

struct child {
    pid_t pid;
    char *name;
};

static struct child *children; /* those that have been started and not yet collected */
static size_t how_many;
static sigset_t inherited; /* the mask that we were started with: a NAME gets it back */

/* Forgets a child, and returns its name; NULL if it is none that was started here. */
static char *forget(pid_t pid) {
    for (size_t i = 0; i < how_many; i++) {
        if (children[i].pid == pid) {
            char *name = children[i].name;
            children[i] = children[--how_many];
            return name;
        }
    }
    return NULL;
}

static void remember(pid_t pid, const char *name) {
    children = realloc(children, (how_many + 1) * sizeof *children);
    char *copy = strdup(name);
    if (children == NULL || copy == NULL) {
        err(TROUBLE, "malloc");
    }
    children[how_many++] = (struct child){pid, copy};
}

static void tell_the_end(const char *name, int status) {
    if (WIFEXITED(status)) {
        printf("%s exited with %d\n", name, WEXITSTATUS(status));
        return;
    }
    const char *signal_name = sigabbrev_np(WTERMSIG(status));
    if (signal_name != NULL) {
        printf("%s killed by SIG%s\n", name, signal_name);
    } else { /* a real-time signal: they have numbers, and no names of their own */
        printf("%s killed by SIGRTMIN+%d\n", name, WTERMSIG(status) - SIGRTMIN);
    }
}

/* Collects every child that is dead by now. One SIGCHLD can stand for fifty deaths. */
static void collect_the_dead(void) {
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        char *name = forget(pid);
        if (name != NULL) {
            tell_the_end(name, status);
            free(name);
        }
    }
}

/* The child becomes NAME. What is still to be read is for the server: NAME's input is empty. */
static _Noreturn void become(const char *name) {
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing > STDIN_FILENO) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    sigprocmask(SIG_SETMASK, &inherited, NULL);
    execlp(name, name, (char *)NULL);
    warn("%s", name);
    _exit(NOT_FOUND);
}

/* Nobody is collected in here, so "started" comes before the end, however soon that is. */
static void start(const char *name) {
    pid_t pid = fork();
    if (pid < 0) {
        warn("fork");
        return;
    }
    if (pid == 0) {
        become(name);
    }
    remember(pid, name);
    printf("%s started\n", name);
}

static void obey(const char *line) {
    if (strncmp(line, "run ", 4) == 0 && line[4] != '\0') {
        start(line + 4);
    } else if (*line != '\0') {
        warnx("not understood: %s", line);
    }
}

/* Reads what there is, and obeys every line of it. A read can bring half a line or fifty: what is
 * not finished stays in `text` for the next time. Returns whether there may be more. */
static bool take_input(void) {
    static char text[LONGEST_LINE];
    static size_t length;

    ssize_t more = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    length += more > 0 ? (size_t)more : 0;
    text[length] = '\0';

    char *line = text;
    char *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        obey(line);
        line = end + 1;
    }
    bool over = more <= 0 || (line == text && length == sizeof text - 1);
    if (over) {
        obey(line); /* the last line may lack its end, or it is one without end */
    }
    length = over ? 0 : strlen(line);
    memmove(text, line, length + 1);
    return more > 0;
}

static void wake_up(int number) {
    (void)number; /* there is nothing to do: it has interrupted ppoll(), and that is all */
}

int main(void) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sigaction action = {.sa_handler = wake_up};
    sigaction(SIGCHLD, &action, NULL);
    sigset_t sigchld, while_asleep;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &sigchld, &inherited);
    while_asleep = inherited;
    sigdelset(&while_asleep, SIGCHLD);

    bool more_to_read = true;
    for (;;) {
        collect_the_dead();
        if (!more_to_read && how_many == 0) {
            return 0;
        }
        struct pollfd input = {.fd = more_to_read ? STDIN_FILENO : -1, .events = POLLIN};
        if (ppoll(&input, 1, NULL, &while_asleep) > 0) {
            more_to_read = take_input();
        }
    }
}
