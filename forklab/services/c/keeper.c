/* The init of one service: it starts what it is told to, adopts whatever those leave behind, and
 * tells how each of them ended, and when the last has gone. Nobody gets away from it, neither by
 * setsid(2) nor by forking twice: it is their subreaper (PR_SET_CHILD_SUBREAPER, prctl(2)), and
 * needs no privilege for that.
 *
 * keeper FD: orders come on this socket (SOCK_SEQPACKET), one a message, each field ended by NUL:
 *
 *     run ROLE DIRECTORY UID GID GROUPS PATH COUNT ARGUMENT... VARIABLE...
 *                                (with it come descriptors: stdin, stdout, stderr)
 *     fail ROLE STATUS ERRNO     (a process that ends with STATUS: it cannot become what it should)
 *     kill SIGNAL named          (to the main and the control process)
 *     kill SIGNAL main           (or: control)
 *     kill SIGNAL everybody
 *     children                   (who has been left to us?)
 *     adopt PID                  (this one is main from now on, if it is one of ours)
 *
 * Reports go back the same way, as text:
 *
 *     started ROLE PID
 *     executed ROLE
 *     refused ROLE STATUS ERRNO  (STATUS 0: there was not even a process)
 *     ended ROLE STATUS
 *     children PID...
 *     adopted PID                (or: stranger PID)
 *     empty RUNS                 (nobody is left of those whom so many runs have started)
 *
 * When the other end of the socket is closed, everybody is asked to go, and killed a little later.
 * No signal but SIGKILL ends a keeper before its last child has ended; who kills it leaves its
 * children to the manager.
 */
#define _GNU_SOURCE
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
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
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What systemd exits with where it could not get as far as the program (systemd.exec(5)). */
enum { CHDIR = 200, EXEC = 203, GROUP = 216, USER = 217 };
enum { MOST_FIELDS = 20000, LONGEST_ORDER = 1 << 20, LONGEST_REPORT = 4096 };
enum { MOST_GROUPS = 1 << 16, MOST_FOUND = 1 << 17 };
enum { MOST_LOOKS = 100 }; /* for who is born while a signal is sent: some give birth for ever */
/* Milliseconds: from the end of the manager until everybody is killed; between two blows. */
enum { GRACE = 5000, PAUSE = 20 };
enum role { MAIN, CONTROL, ROLES };

static const char *const role_names[ROLES] = {"main", "control"};
static pid_t named[ROLES];          /* 0: it does not run */
static int execs[ROLES] = {-1, -1}; /* what its child tells, until it has become the program */
static int manager;                 /* the socket; -1: the manager is gone */
static int runs;                    /* so far: an order may cross "empty" on its way */
static bool killing;                /* whoever is left is killed, until nobody is */

struct pids {
    pid_t *list;
    size_t count, room;
};
static struct pids found; /* those below us, as far as somebody has looked for them */
static struct pids told;  /* those who have had the signal that is being sent */

static void report(const char *format, ...) {
    char text[LONGEST_REPORT];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (manager >= 0)
        send(manager, text, strlen(text), MSG_NOSIGNAL);
}

/* Those who live */

/* False: there is no memory. */
static bool add(struct pids *pids, pid_t process) {
    if (pids->count == pids->room) {
        size_t room = pids->room == 0 ? 64 : 2 * pids->room;
        pid_t *list = realloc(pids->list, room * sizeof *list);
        if (list == NULL)
            return false;
        pids->list = list;
        pids->room = room;
    }
    pids->list[pids->count++] = process;
    return true;
}

/* Whoever is born or orphaned meanwhile may be missed. */
static void find_children(pid_t parent) {
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
        for (int child; found.count < MOST_FOUND && fscanf(children, "%d", &child) == 1;)
            if (!add(&found, child))
                break;
        fclose(children);
    }
    closedir(threads);
}

static void find_our_children(void) {
    found.count = 0;
    find_children(getpid());
}

static int compare(const void *one, const void *other) {
    pid_t a = *(const pid_t *)one, b = *(const pid_t *)other;
    return (a > b) - (a < b);
}

/* To everybody below us, once; a parent gets it before its children. Who dies of it leaves its own
 * to us, and others fork meanwhile: so we look until nobody is new. */
static void send_all(int number) {
    bool news = true;
    told.count = 0;
    for (int look = 0; news && look < MOST_LOOKS; look++) {
        size_t known = told.count; /* of these it is sorted */
        find_our_children();
        for (size_t next = 0; next < found.count; next++) {
            pid_t process = found.list[next];
            if (known == 0 ||
                bsearch(&process, told.list, known, sizeof process, compare) == NULL) {
                kill(process, number);
                add(&told, process);
            }
            find_children(process);
        }
        news = told.count > known;
        if (news)
            qsort(told.list, told.count, sizeof *told.list, compare);
    }
}

/* Each group at once: nobody in it gets to fork between two blows. It holds none but ours, as each
 * command begins a session. */
static void kill_everybody(void) {
    find_our_children();
    for (size_t next = 0; next < found.count; next++) {
        pid_t process = found.list[next], group = getpgid(process);
        find_children(process);
        if (group > 1 && group != getpgrp())
            kill(-group, SIGKILL);
        kill(process, SIGKILL);
    }
}

static bool is_ours(pid_t process) {
    find_our_children();
    for (size_t next = 0; next < found.count; next++) {
        if (found.list[next] == process)
            return true;
        find_children(found.list[next]);
    }
    return false;
}

/* Those who begin */

/* Becomes what was asked for, or tells `news` why not, and exits. Never returns. */
static void become(char **fields, int count, const int streams[3], int news) {
    enum { DIRECTORY = 2, UID, GID, GROUPS, PATH, COUNT, ARGUMENTS };
    static gid_t groups[MOST_GROUPS];
    int status = EXEC;
    if (strcmp(fields[0], "fail") == 0) {
        status = atoi(fields[2]);
        errno = atoi(fields[3]);
        goto refused;
    }
    int arguments = atoi(fields[COUNT]);
    char **words = calloc((size_t)count + 2, sizeof *words);
    if (words == NULL || arguments < 1 || ARGUMENTS + arguments > count)
        goto refused;
    /* Two lists, each with a NULL at its end. */
    memcpy(words, fields + ARGUMENTS, (size_t)arguments * sizeof *words);
    memcpy(words + arguments + 1, fields + ARGUMENTS + arguments,
           (size_t)(count - ARGUMENTS - arguments) * sizeof *words);

    /* As a service expects to find it: a session of its own, nothing blocked, and only SIGPIPE
     * ignored. All others do what they do by default: so we were started. */
    setsid();
    umask(022);
    signal(SIGPIPE, SIG_IGN);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    for (int stream = 0; stream < 3; stream++)
        if (dup2(streams[stream], stream) < 0)
            goto refused;

    if (fields[UID][0] != '\0') {
        size_t known = 0;
        for (char *group = strtok(fields[GROUPS], ","); group != NULL && known < MOST_GROUPS;
             group = strtok(NULL, ","))
            groups[known++] = (gid_t)strtoul(group, NULL, 10);
        status = GROUP;
        if (setgroups(known, groups) < 0 || setgid((gid_t)strtoul(fields[GID], NULL, 10)) < 0)
            goto refused;
        status = USER;
        if (setuid((uid_t)strtoul(fields[UID], NULL, 10)) < 0)
            goto refused;
    }
    status = CHDIR;
    bool optional = fields[DIRECTORY][0] == '-';
    if (chdir("/") < 0 || (chdir(fields[DIRECTORY] + optional) < 0 && !optional))
        goto refused;
    status = EXEC;
    execve(fields[PATH], words, words + arguments + 1);
refused:;
    int why[] = {status, errno};
    if (write(news, why, sizeof why) < 0)
        status = EXEC;
    _exit(status);
}

/* The exec closes the pipe: its end of file says that it worked. */
static void hear_of_exec(enum role role) {
    int why[2];
    if (execs[role] < 0)
        return;
    if (read(execs[role], why, sizeof why) == (ssize_t)sizeof why)
        report("refused %s %d %d", role_names[role], why[0], why[1]);
    else
        report("executed %s", role_names[role]);
    close(execs[role]);
    execs[role] = -1;
}

static void run(char **fields, int count, const int streams[3]) {
    enum role role = strcmp(fields[1], role_names[MAIN]) == 0 ? MAIN : CONTROL;
    int ends[2], told[2];
    runs++;
    killing = false; /* it is not whom the blow was for */
    hear_of_exec(role);
    if (strcmp(fields[0], "run") == 0 &&
        streams[2] < 0) { /* the kernel has dropped what is too much for our limit: unix(7) */
        report("refused %s 0 %d", role_names[role], EMFILE);
        return;
    }
    if (pipe2(ends, O_CLOEXEC) < 0) {
        report("refused %s 0 %d", role_names[role], errno);
        return;
    }
    if (pipe2(told, O_CLOEXEC) < 0) {
        report("refused %s 0 %d", role_names[role], errno);
        close(ends[0]);
        close(ends[1]);
        return;
    }
    pid_t child = fork();
    if (child == 0) {
        /* Its pid is reported first, else nobody would know whose it is, whatever it announces. */
        close(told[1]);
        while (read(told[0], &(char){0}, 1) < 0 && errno == EINTR)
            ;
        become(fields, count, streams, ends[1]);
    }
    int failure = errno;
    close(ends[1]);
    close(told[0]);
    if (child < 0) {
        report("refused %s 0 %d", role_names[role], failure);
        close(ends[0]);
    } else {
        named[role] = child;
        execs[role] = ends[0];
        report("started %s %d", role_names[role], child);
    }
    close(told[1]);
}

static void adopt(pid_t process) {
    if (process > 1 && is_ours(process)) {
        named[MAIN] = process;
        report("adopted %d", process);
    } else {
        report("stranger %d", process);
    }
}

static void report_children(void) {
    char text[LONGEST_REPORT] = "children";
    find_our_children();
    for (size_t next = 0, end = strlen(text); next < found.count && end < sizeof text - 16; next++)
        end += (size_t)sprintf(text + end, " %d", found.list[next]);
    report("%s", text);
}

/* Those who end */

static void signal_them(int number, const char *whom) {
    bool everybody = strcmp(whom, "everybody") == 0, both = strcmp(whom, "named") == 0;
    if (everybody && number == SIGKILL) {
        killing = true;
        kill_everybody();
    } else if (everybody) {
        send_all(number);
    } else {
        for (enum role role = MAIN; role < ROLES; role++)
            if ((both || strcmp(whom, role_names[role]) == 0) && named[role] > 0 &&
                is_ours(named[role]))
                kill(named[role], number);
    }
}

/* Takes in all who are dead, and says who of them had a name. */
static void reap(void) {
    int status;
    pid_t child;
    while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        for (enum role role = MAIN; role < ROLES; role++)
            if (named[role] == child) {
                hear_of_exec(role);
                named[role] = 0;
                report("ended %s %d", role_names[role], status);
            }
    }
    if (child < 0) {
        killing = false;
        report("empty %d", runs);
        if (manager < 0)
            exit(0);
    }
}

/* The manager */

static void obey(char *order, ssize_t length, const int streams[3]) {
    static char *fields[MOST_FIELDS];
    int count = 0;
    for (char *field = order; field < order + length && count < MOST_FIELDS;
         field = strchr(field, '\0') + 1)
        fields[count++] = field;
    if ((count >= 9 && strcmp(fields[0], "run") == 0) ||
        (count == 4 && strcmp(fields[0], "fail") == 0)) {
        run(fields, count, streams);
    } else if (count == 3 && strcmp(fields[0], "kill") == 0) {
        signal_them(atoi(fields[1]), fields[2]);
    } else if (count == 2 && strcmp(fields[0], "adopt") == 0) {
        adopt(atoi(fields[1]));
    } else if (count == 1 && strcmp(fields[0], "children") == 0) {
        report_children();
    }
    /* Whatever it was, it may have left nobody; an end that came before has been told already. */
    reap();
}

/* One order and the descriptors that came with it; false: the manager is gone. */
static bool listen_to_the_manager(void) {
    static char order[LONGEST_ORDER + 1];
    int streams[3] = {-1, -1, -1};
    union {
        char room[CMSG_SPACE(sizeof streams)];
        struct cmsghdr aligned;
    } control;
    struct iovec whole = {order, LONGEST_ORDER};
    struct msghdr message = {.msg_iov = &whole,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof control};
    ssize_t length = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    if (length < 0)
        return errno == EINTR;
    if (length == 0)
        return false;
    struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
    if (rights != NULL && rights->cmsg_type == SCM_RIGHTS &&
        rights->cmsg_len <= CMSG_LEN(sizeof streams))
        memcpy(streams, CMSG_DATA(rights), rights->cmsg_len - CMSG_LEN(0));
    order[length] = '\0';
    obey(order, length, streams);
    for (int stream = 0; stream < 3; stream++)
        if (streams[stream] >= 0)
            close(streams[stream]);
    return true;
}

static long long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* Nobody tells us any more what to do: everybody is asked to go. */
static void wind_up(void) {
    close(manager);
    manager = -1;
    signal_them(SIGTERM, "everybody");
    signal_them(SIGCONT, "everybody");
    reap();
}

int main(int count, char **arguments) {
    if (count != 2)
        return 2;
    manager = atoi(arguments[1]);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    sigset_t deaths;
    sigemptyset(&deaths);
    sigaddset(&deaths, SIGCHLD);
    int news = signalfd(-1, &deaths, SFD_CLOEXEC | SFD_NONBLOCK);
    /* The lock of the manager is ours as long as we live; no command inherits anything. */
    syscall(SYS_close_range, 3, ~0U, CLOSE_RANGE_CLOEXEC);
    if (fcntl(manager, F_SETFD, FD_CLOEXEC) < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || news < 0)
        return 1;
    long long until = 0; /* when the grace ends, once the manager is gone */
    for (;;) {
        struct pollfd watched[] = {{.fd = news, .events = POLLIN},
                                   {.fd = manager, .events = POLLIN},
                                   {.fd = execs[MAIN], .events = POLLIN},
                                   {.fd = execs[CONTROL], .events = POLLIN}};
        long long left = until - milliseconds();
        int patience = killing ? PAUSE : manager >= 0 ? -1 : left > 0 ? (int)left : 0;
        poll(watched, sizeof watched / sizeof *watched, patience);
        /* Not only if nothing else has happened: who forks for ever sees to it that it does. */
        if (manager < 0 && milliseconds() >= until)
            killing = true;
        if (killing)
            kill_everybody();
        for (enum role role = MAIN; role < ROLES; role++)
            if (watched[2 + role].revents != 0)
                hear_of_exec(role);
        /* Orders first: a service that is to be told something may be on its way out. */
        if (watched[1].revents != 0 && !listen_to_the_manager()) {
            until = milliseconds() + GRACE;
            wind_up();
        }
        if (watched[0].revents != 0) {
            struct signalfd_siginfo dead;
            while (read(news, &dead, sizeof dead) > 0)
                continue;
            reap();
        }
    }
}
