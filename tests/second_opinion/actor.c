/* A scripted process of the second opinion: `actor FOLDER NAME`.
 *
 * It reads its orders, one a line, from the FIFO FOLDER/NAME.orders and writes into FOLDER/NAME.log
 * what became of them: "born", "done", "signal N". Nothing here is shared with the judge's own
 * actors. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OURS = 100 }; /* descriptors from here on are the actor's, not what it was started with */

static int log_file = -1;
static struct child {
    char name[32];
    pid_t pid;
} children[64];
static int number_of_children;

static void tell(const char *text) {
    if (write(log_file, text, strlen(text)) < 0)
        _exit(111);
}

/* snprintf(3) is not async-signal-safe: two digits are enough for a signal. */
static void caught(int number) {
    char text[] = "signal 00\n";
    text[7] = (char)('0' + number / 10);
    text[8] = (char)('0' + number % 10);
    tell(text);
}

static int opened(const char *folder, const char *name, const char *kind, int how) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s.%s", folder, name, kind);
    int file = open(path, how | O_CLOEXEC, 0600);
    int moved = file < 0 ? -1 : fcntl(file, F_DUPFD_CLOEXEC, OURS);
    if (moved < 0)
        _exit(112);
    close(file);
    return moved;
}

static void disposed(int number, void (*what)(int)) {
    struct sigaction action = {.sa_handler = what, .sa_flags = SA_RESTART};
    sigaction(number, &action, NULL);
}

static void masked(int how, int number) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, number);
    sigprocmask(how, &set, NULL);
}

static pid_t named(const char *name) {
    for (int i = 0; i < number_of_children; i++)
        if (strcmp(children[i].name, name) == 0)
            return children[i].pid;
    return -1;
}

static int born(const char *folder, const char *name) {
    log_file = opened(folder, name, "log", O_WRONLY | O_APPEND | O_CREAT);
    char text[64];
    snprintf(text, sizeof text, "born %d\n", getpid());
    tell(text);
    return opened(folder, name, "orders", O_RDONLY);
}

static int obeyed(const char *folder, int orders, const char *verb, const char *what) {
    int number = atoi(what);
    if (strcmp(verb, "fork") == 0) {
        pid_t pid = fork();
        if (pid == 0) {
            close(orders);
            close(log_file);
            number_of_children = 0;
            return born(folder, what);
        }
        snprintf(children[number_of_children].name, sizeof children[0].name, "%s", what);
        children[number_of_children++].pid = pid;
    } else if (strcmp(verb, "exit") == 0) {
        _exit(number);
    } else if (strcmp(verb, "die") == 0) {
        disposed(number, SIG_DFL);
        masked(SIG_UNBLOCK, number);
        kill(getpid(), number);
    } else if (strcmp(verb, "reap") == 0) {
        while (waitpid(named(what), NULL, 0) < 0)
            ;
    } else if (strcmp(verb, "ignore") == 0) {
        disposed(number, SIG_IGN);
    } else if (strcmp(verb, "catch") == 0) {
        disposed(number, caught);
    } else if (strcmp(verb, "block") == 0) {
        masked(SIG_BLOCK, number);
    } else if (strcmp(verb, "session") == 0) {
        setsid();
    } else if (strcmp(verb, "group") == 0) {
        setpgid(0, 0);
    } else if (strcmp(verb, "stop") == 0) {
        raise(SIGSTOP);
    } else if (strcmp(verb, "say") == 0) {
        if (dprintf(STDOUT_FILENO, "%s\n", what) < 0)
            return orders; /* not done */
    }
    tell("done\n");
    return orders;
}

int main(int argc, char **argv) {
    char line[512];
    if (argc != 3)
        return 2;
    int orders = born(argv[1], argv[2]);
    for (size_t length = 0;;) {
        ssize_t got = read(orders, line + length, 1);
        if (got == 0)
            return 113; /* nobody is left who could give an order */
        if (got < 0)
            continue; /* a handler came in between: SA_RESTART does not help a stopped process on
                         all kernels */
        if (line[length] != '\n') {
            length++;
            continue;
        }
        line[length] = '\0';
        length = 0;
        char *what = strchr(line, ' ');
        if (what != NULL)
            *what++ = '\0';
        orders = obeyed(argv[1], orders, line, what == NULL ? "" : what);
    }
}
