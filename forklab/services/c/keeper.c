/* The init of one service: it starts what it is told to, adopts whatever those leave behind, and
 * tells how each of them ended, and when the last has gone. Nobody gets away from it, neither by
 * setsid(2) nor by forking twice: it is their subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), and
 * needs no privilege for that.
 *
 * keeper FD: orders come on this socket (SOCK_SEQPACKET), one a message, their fields ended by NUL:
 *
 *     run ROLE DIRECTORY UID GID GROUPS PATH COUNT ARGUMENT... VARIABLE...   with stdin, stdout and
 * stderr adopt PID                                                            this one is main from
 * now on kill SIGNAL named|everybody                                          "named": main and
 * control children
 *
 * Reports go back the same way, as text:
 *
 *     started ROLE PID
 *     executed ROLE
 *     refused ROLE STATUS ERRNO
 *     ended ROLE STATUS
 *     children PID...
 *     empty RUNS            nobody is left of all who were started by so many orders to run
 * something
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* What systemd exits with where it could not get as far as the program (systemd.exec(5)). */
enum { CHDIR = 200, EXEC = 203, GROUP = 216, USER = 217 };
enum { MOST_FIELDS = 20000, LONGEST_ORDER = 1 << 20, GRACE_MS = 5000 };
enum role { MAIN, CONTROL, ROLES };

static const char *const role_names[ROLES] = {"main", "control"};
static pid_t named[ROLES]; /* 0: it does not run */
static int manager;        /* the socket; -1: the manager is gone */
static int runs;           /* orders to run something, so far: "empty" may cross one on its way */
static int killing;        /* the signal that everybody gets until nobody is left; 0: none */

static void report(const char *format, ...) {
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (manager >= 0)
        send(manager, text, strlen(text), MSG_NOSIGNAL);
}

/* Calls `act` for each descendant of a process; a parent before its children. Whoever forks
 * meanwhile may be missed. */
static void for_each_below(pid_t parent, void (*act)(pid_t, void *), void *with) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", parent);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return;
    for (struct dirent *thread; (thread = readdir(threads)) != NULL;) {
        if (!isdigit((unsigned char)thread->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%d/task/%.20s/children", parent, thread->d_name);
        FILE *children = fopen(path, "re");
        if (children == NULL)
            continue;
        for (int child; fscanf(children, "%d", &child) == 1;) {
            act(child, with);
            for_each_below(child, act, with);
        }
        fclose(children);
    }
    closedir(threads);
}

static void send_signal(pid_t process, void *number) {
    kill(process, *(int *)number);
}

static void append_pid(pid_t process, void *text) {
    char *end = strchr(text, '\0');
    if (end - (char *)text < 3900)
        sprintf(end, " %d", process);
}

/* In the child: becomes what was asked for, or tells why not, and exits. Never returns. */
static void become(char **fields, int count, const int streams[3], int news) {
    enum { DIRECTORY = 2, UID, GID, GROUPS, PATH, COUNT, ARGUMENTS };
    int status = EXEC, arguments = atoi(fields[COUNT]);
    char **words = calloc((size_t)count + 2, sizeof *words);
    if (words == NULL || arguments < 1 || ARGUMENTS + arguments > count)
        goto refused;
    /* Two lists, each with a NULL at its end. */
    memcpy(words, fields + ARGUMENTS, (size_t)arguments * sizeof *words);
    memcpy(words + arguments + 1, fields + ARGUMENTS + arguments,
           (size_t)(count - ARGUMENTS - arguments) * sizeof *words);

    /* As a service expects to find it: a session of its own, nothing blocked, and only SIGPIPE
     * ignored. */
    setsid();
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int stream = 0; stream < 3; stream++)
        if (dup2(streams[stream], stream) < 0)
            goto refused;

    if (fields[UID][0] != '\0') {
        gid_t groups[256];
        int known = 0;
        for (char *group = strtok(fields[GROUPS], ","); group != NULL && known < 256;
             group = strtok(NULL, ","))
            groups[known++] = (gid_t)atoi(group);
        status = GROUP;
        if (setgroups((size_t)known, groups) < 0 || setgid((gid_t)atoi(fields[GID])) < 0)
            goto refused;
        status = USER;
        if (setuid((uid_t)atoi(fields[UID])) < 0)
            goto refused;
    }
    status = CHDIR;
    bool optional = fields[DIRECTORY][0] == '-';
    if (chdir(fields[DIRECTORY] + optional) < 0 && !optional)
        goto refused;
    status = EXEC;
    execve(fields[PATH], words, words + arguments + 1);
refused:;
    int why[] = {status, errno};
    if (write(news, why, sizeof why) < 0)
        status = EXEC;
    _exit(status);
}

static void run(char **fields, int count, const int streams[3]) {
    if (count < 9 || streams[2] < 0)
        return;
    enum role role = strcmp(fields[1], role_names[MAIN]) == 0 ? MAIN : CONTROL;
    int ends[2];
    runs++;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        report("refused %s 0 %d", role_names[role], errno);
        return;
    }
    pid_t child = fork();
    if (child == 0)
        become(fields, count, streams, ends[1]);
    int failure = errno;
    close(ends[1]);
    if (child < 0) {
        report("refused %s 0 %d", role_names[role], failure);
    } else {
        named[role] = child;
        report("started %s %d", role_names[role], child);
        /* The exec closes the pipe: end of file says that it worked. */
        int why[2];
        if (read(ends[0], why, sizeof why) == (ssize_t)sizeof why)
            report("refused %s %d %d", role_names[role], why[0], why[1]);
        else
            report("executed %s", role_names[role]);
    }
    close(ends[0]);
}

static void signal_them(int number, bool everybody) {
    if (everybody) {
        for_each_below(getpid(), send_signal, &number);
        if (number == SIGKILL)
            killing = SIGKILL;
    } else {
        for (int role = 0; role < ROLES; role++)
            if (named[role] > 0)
                kill(named[role], number);
    }
}

/* Takes in all who are dead, and says who of them had a name. */
static void reap(void) {
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        for (int role = 0; role < ROLES; role++)
            if (named[role] == child) {
                named[role] = 0;
                report("ended %s %d", role_names[role], status);
            }
    }
    if (child < 0 && errno == ECHILD) {
        killing = 0;
        report("empty %d", runs);
        if (manager < 0)
            exit(0);
    } else if (killing != 0) {
        for_each_below(getpid(), send_signal, &killing); /* those who were born while we counted */
    }
}

static void obey(char *order, ssize_t length, const int streams[3]) {
    static char *fields[MOST_FIELDS];
    int count = 0;
    for (char *field = order; field < order + length && count < MOST_FIELDS;
         field = strchr(field, '\0') + 1)
        fields[count++] = field;
    if (count == 0)
        return;
    if (strcmp(fields[0], "run") == 0) {
        run(fields, count, streams);
    } else if (strcmp(fields[0], "kill") == 0 && count == 3) {
        signal_them(atoi(fields[1]), strcmp(fields[2], "everybody") == 0);
    } else if (strcmp(fields[0], "adopt") == 0 && count == 2) {
        named[MAIN] = atoi(fields[1]);
    } else if (strcmp(fields[0], "children") == 0) {
        char text[4096] = "children";
        for_each_below(getpid(), append_pid, text);
        report("%s", text);
    }
    /* Whatever it was, it may have left nobody; and an end that came before has been told already.
     */
    reap();
}

/* One order and the descriptors that came with it; false: the manager is gone. */
static bool listen_to_the_manager(void) {
    static char order[LONGEST_ORDER + 1];
    char control[CMSG_SPACE(3 * sizeof(int))];
    struct iovec whole = {order, LONGEST_ORDER};
    struct msghdr message = {.msg_iov = &whole,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = sizeof control};
    int streams[3] = {-1, -1, -1};
    ssize_t length = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        return errno == EINTR;
    if (length == 0)
        return false;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS)
        memcpy(streams, CMSG_DATA(rights),
               rights->cmsg_len - CMSG_LEN(0) < sizeof streams ? rights->cmsg_len - CMSG_LEN(0)
                                                               : sizeof streams);
    order[length] = '\0';
    obey(order, length, streams);
    for (int stream = 0; stream < 3; stream++)
        if (streams[stream] >= 0)
            close(streams[stream]);
    return true;
}

/* Nobody tells us any more what to do: everybody is asked to go, and then made to. */
static void wind_up(void) {
    int number = SIGTERM, awake = SIGCONT;
    close(manager);
    manager = -1;
    for_each_below(getpid(), send_signal, &number);
    for_each_below(getpid(), send_signal, &awake);
    reap();
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    manager = atoi(arguments[1]);
    if (fcntl(manager, F_SETFD, FD_CLOEXEC) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return 1;
    sigset_t deaths;
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    sigprocmask(SIG_SETMASK, &deaths, NULL);
    int news = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    if (news < 0)
        return 1;
    for (;;) {
        struct pollfd watched[] = {{.fd = news, .events = POLLIN},
                                   {.fd = manager, .events = POLLIN}};
        int ready = poll(watched, 2, manager < 0 && killing == 0 ? GRACE_MS : -1);
        if (ready == 0) {
            signal_them(SIGKILL, true);
            reap();
            continue;
        }
        /* Orders first: a service that is to be told something may be on its way out. */
        if (watched[1].revents != 0 && !listen_to_the_manager())
            wind_up();
        if (watched[0].revents != 0) {
            struct signalfd_siginfo dead;
            while (read(news, &dead, sizeof dead) > 0)
                continue;
            reap();
        }
    }
}
