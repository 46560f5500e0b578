/* act NAME OP...: a service that does what its command line says, and writes down what befalls it.
 *
 * Each line goes to the file `log` beside this program, as "MILLISECONDS NAME TEXT". The ops are in
 * the table below; `{ NAME OP... }` is a child, and whoever comes to the end of its ops exits 0.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *name;

/* One write(2) to a file opened for appending: lines of several processes do not mix. */
static void say(const char *format, ...) {
    char text[4096], line[4300];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *end; (end = strchr(text, '\n')) != NULL;)
        *end = '|'; /* a line is a line */
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int length = snprintf(line, sizeof line, "%ld %s %s\n",
                          now.tv_sec * 1000L + now.tv_nsec / 1000000, name, text);
    char path[4096] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 1) < 0 || strrchr(path, '/') == NULL)
        return;
    strcpy(strrchr(path, '/'), "/log");
    int file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return;
    if (write(file, line, (size_t)length) < 0)
        perror("act: the log");
    close(file);
}

/* Signals */

static const struct {
    const char *name;
    int number;
} signals[] = {{"TERM", SIGTERM}, {"HUP", SIGHUP},   {"INT", SIGINT},     {"QUIT", SIGQUIT},
               {"USR1", SIGUSR1}, {"USR2", SIGUSR2}, {"CONT", SIGCONT},   {"SEGV", SIGSEGV},
               {"KILL", SIGKILL}, {"ABRT", SIGABRT}, {"PIPE", SIGPIPE},   {"STOP", SIGSTOP},
               {"ALRM", SIGALRM}, {"CHLD", SIGCHLD}, {"WINCH", SIGWINCH}, {NULL, 0}};

static int signal_number(const char *wanted) {
    for (int i = 0; signals[i].name; i++)
        if (strcmp(signals[i].name, wanted) == 0)
            return signals[i].number;
    say("what signal is %s?", wanted);
    _exit(99);
}

static const char *signal_name(int number) {
    for (int i = 0; signals[i].name; i++)
        if (signals[i].number == number)
            return signals[i].name;
    return "?";
}

static void note(int number) {
    say("got %s", signal_name(number));
}

static void leave(int number) {
    note(number);
    _exit(0);
}

static void pause_for(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

static void leave_slowly(int number) {
    note(number);
    pause_for(300);
    say("done");
    _exit(0);
}

static void handle(const char *which, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler};
    sigaction(signal_number(which), &action, NULL);
}

static void op_ignore(const char *which) {
    handle(which, SIG_IGN);
}

static void op_catch(const char *which) {
    handle(which, leave);
}

static void op_slow(const char *which) {
    handle(which, leave_slowly);
}

static void op_note(const char *which) {
    handle(which, note);
}

/* Time and ends */

static void op_sleep(const char *milliseconds) {
    pause_for(atol(milliseconds));
}

static void op_hang(const char *unused) {
    (void)unused;
    for (;;)
        pause();
}

static void op_exit(const char *status) {
    say("exit %s", status);
    _exit(atoi(status));
}

static void op_die(const char *which) {
    say("die %s", which);
    handle(which, SIG_DFL);
    raise(signal_number(which));
}

/* Words */

static void op_say(const char *text) {
    say("%s", text);
}

static void op_out(const char *text) {
    printf("%s\n", text);
    fflush(stdout);
}

static void op_err(const char *text) {
    fprintf(stderr, "%s\n", text);
}

/* Processes */

static void op_session(const char *unused) {
    (void)unused;
    setsid();
}

/* As daemon(3), with a second fork: who goes on is nobody's child, and no leader of its session.
 * The first one leaves after so many milliseconds. */
static void op_daemon(const char *milliseconds) {
    pid_t middle = fork();
    if (middle > 0) {
        waitpid(middle, NULL, 0);
        op_sleep(milliseconds);
        _exit(0);
    }
    setsid();
    if (fork() > 0)
        _exit(0);
}

static void op_pidfile(const char *path) {
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        say("pidfile: %s", strerror(errno));
        return;
    }
    fprintf(file, "%d\n", getpid());
    fclose(file);
}

/* sd_notify(3) */
static void op_notify(const char *text) {
    const char *path = getenv("NOTIFY_SOCKET");
    if (path == NULL) {
        say("no NOTIFY_SOCKET");
        return;
    }
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    strncpy(to.sun_path, path, sizeof to.sun_path - 1);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(to.sun_path));
    if (to.sun_path[0] == '@')
        to.sun_path[0] = 0;
    int channel = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sendto(channel, text, strlen(text), 0, (struct sockaddr *)&to, length) < 0)
        say("notify: %s", strerror(errno));
    close(channel);
}

static void op_notifypid(const char *unused) {
    (void)unused;
    char text[32];
    snprintf(text, sizeof text, "MAINPID=%d", getpid());
    op_notify(text);
}

/* What it finds */

static void op_env(const char *variable) {
    const char *value = getenv(variable);
    say("%s=%s", variable, value ? value : "(unset)");
}

static void op_cwd(const char *unused) {
    (void)unused;
    char path[4000];
    say("cwd=%s", getcwd(path, sizeof path) ? path : strerror(errno));
}

static void op_id(const char *unused) {
    (void)unused;
    mode_t mask = umask(0);
    umask(mask);
    say("uid=%d gid=%d pgid%spid sid%spid umask=%03o", (int)getuid(), (int)getgid(),
        getpgrp() == getpid() ? "=" : "!=", getsid(0) == getpid() ? "=" : "!=", (unsigned)mask);
}

static void op_groups(const char *unused) {
    (void)unused;
    gid_t groups[64];
    int count = getgroups(64, groups);
    char text[1024] = "";
    for (int i = 0; i < count; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), " %d", (int)groups[i]);
    say("groups=%s", text + (count > 0));
}

static void op_fds(const char *unused) {
    (void)unused;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(folder))
            continue;
        char path[300], target[300] = "";
        snprintf(path, sizeof path, "/proc/self/fd/%s", entry->d_name);
        if (readlink(path, target, sizeof target - 1) < 0)
            continue;
        target[strcspn(target, "[")] = 0; /* socket:[1234] */
        say("fd %s %s", entry->d_name, target);
    }
    closedir(folder);
}

static void op_sigs(const char *unused) {
    (void)unused;
    char line[300];
    FILE *status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status))
        if (strncmp(line, "SigBlk", 6) == 0 || strncmp(line, "SigIgn", 6) == 0) {
            line[strcspn(line, "\n")] = 0;
            say("%s", line);
        }
    fclose(status);
}

static void op_touch(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        say("touch: %s", strerror(errno));
    else
        close(file);
}

static const struct {
    const char *name;
    void (*act)(const char *argument);
} ops[] = {{"say", op_say},       {"out", op_out},
           {"err", op_err},       {"sleep", op_sleep},
           {"hang", op_hang},     {"exit", op_exit},
           {"die", op_die},       {"ignore", op_ignore},
           {"catch", op_catch},   {"slow", op_slow},
           {"note", op_note},     {"session", op_session},
           {"daemon", op_daemon}, {"pidfile", op_pidfile},
           {"notify", op_notify}, {"notifypid", op_notifypid},
           {"env", op_env},       {"cwd", op_cwd},
           {"id", op_id},         {"groups", op_groups},
           {"fds", op_fds},       {"sigs", op_sigs},
           {"touch", op_touch},   {NULL, NULL}};

static void simple_op(char *op) {
    char *argument = strchr(op, ':');
    if (argument)
        *argument++ = 0;
    for (int i = 0; ops[i].name; i++)
        if (strcmp(ops[i].name, op) == 0) {
            ops[i].act(argument ? argument : "");
            return;
        }
    say("what is %s?", op);
    _exit(99);
}

/* The word behind the brace that closes this block. */
static char **behind(char **word) {
    for (int depth = 1; *word && depth; word++) {
        if (strcmp(*word, "{") == 0 || strncmp(*word, "once:", 5) == 0)
            depth++;
        if (strcmp(*word, "}") == 0)
            depth--;
    }
    return word;
}

static void run(char **word) {
    while (*word) {
        char *op = *word++;
        if (strcmp(op, "{") == 0) { /* a child; it ends where its block does */
            char **next = behind(word);
            if (fork() == 0) {
                name = *word++;
                next[-1] = NULL;
                run(word);
                _exit(0);
            }
            word = next;
        } else if (strncmp(op, "once:", 5) ==
                   0) { /* once:FILE OP... }: if there is no such file; makes it */
            if (access(op + 5, F_OK) == 0)
                word = behind(word);
            else
                op_touch(op + 5);
        } else if (strcmp(op, "rest") == 0) { /* all further words, as they came */
            for (int i = 0; *word; i++)
                say("arg%d=[%s]", i, *word++);
        } else if (strcmp(op, "}") != 0) {
            simple_op(op);
        }
    }
}

int main(int count, char **words) {
    if (count < 2)
        return 2;
    name = words[1];
    run(words + 2);
    return 0;
}
