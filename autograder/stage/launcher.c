/* The launcher: opens one play after another inside the sandbox of one submission.
 *
 *     launcher pidns|subreaper SOCKET_FD PATH=...
 *
 * It is the only program between the sandbox (made once a submission, by bubblewrap where that is
 * possible) and the init that is judged. Orders come over a SOCK_SEQPACKET connection, one message
 * each:
 *
 *     "play" FLAGS \0 ARG0 \0 ARG1 \0 ...   with standard input, output and error as SCM_RIGHTS;
 *                                           FLAGS is "-" or "t" (standard input becomes the
 * controlling terminal) the init-to-be answers "init", whose SCM_CREDENTIALS tell its pid; "failed
 * ERRNO" follows if exec fails "status"    answers "status CODE VALUE" (si_code and si_status of
 * waitid(2)) or "alive"; init stays a zombie "end"       kills whoever is left of the play, reaps
 * them all, answers "ended"
 *
 * In mode pidns each play has a PID namespace of its own, with init as its PID 1, and a private
 * /proc and /tmp. In mode subreaper init is a child subreaper, and the launcher one above it:
 * whoever init leaves behind becomes ours, so nobody escapes by fork and setsid. When the
 * connection closes, everything ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 65536, MOST_ARGUMENTS = 256, STANDARD_FDS = 3, SWEEP_PAUSE_MS = 5 };

static int orders;         /* the connection to the judge */
static int own_namespaces; /* mode pidns */
static int deaths;         /* a signalfd for SIGCHLD */
static pid_t init = -1;    /* of the play that is on, also while a zombie; -1 between plays */

static char *environment[] = {
    NULL, /* "PATH=...", from the command line */
    "HOME=/tmp", "LANG=C.UTF-8", "PYTHONDONTWRITEBYTECODE=1", NULL,
};

/* What each process of the play may use. */
static const struct {
    __rlimit_resource_t resource;
    rlim_t most;
} limits[] = {
    {RLIMIT_CORE, 0},      {RLIMIT_CPU, 20},    {RLIMIT_FSIZE, 16 << 20},
    {RLIMIT_NOFILE, 1024}, {RLIMIT_NPROC, 512}, /* does not bind root */
};

static void say(const char *answer) {
    while (send(orders, answer, strlen(answer), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

static void give_up(const char *what) {
    char answer[256];
    snprintf(answer, sizeof answer, "failed %d %s", errno, what);
    say(answer);
    _exit(EXIT_FAILURE);
}

static void mount_private_folders(void) {
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
        give_up("mount /proc");
    if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, "size=16m,nr_inodes=4096,mode=1777") <
        0)
        give_up("mount /tmp");
}

/* The namespaces were opened with capabilities; nobody in the play may keep one. See
 * capabilities(7). */
static void drop_capabilities(void) {
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[2] = {0};
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; capability++)
        prctl(PR_CAPBSET_DROP, capability);
    if (syscall(SYS_capset, &header, none) < 0)
        give_up("drop capabilities");
}

static void set_limits(void) {
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        struct rlimit now, wanted = {limits[i].most, limits[i].most};
        if (getrlimit(limits[i].resource, &now) == 0 && now.rlim_max < wanted.rlim_max)
            wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
        setrlimit(limits[i].resource, &wanted);
    }
}

/* Signals as a fresh login has them: nothing ignored, nothing blocked. */
static void reset_signals(void) {
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void become_init(const char *flags, char **arguments, const int *standard) {
    if (own_namespaces) {
        mount_private_folders();
        drop_capabilities();
    } else {
        prctl(PR_SET_CHILD_SUBREAPER, 1); /* survives execve(2): init need not know of it */
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        give_up("no_new_privs");
    setsid();
    for (int fd = 0; fd < STANDARD_FDS; fd++)
        dup2(standard[fd], fd);
    if (strchr(flags, 't') != NULL && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
        give_up("take the terminal");
    close_range(STANDARD_FDS, ~0U, CLOSE_RANGE_CLOEXEC);
    set_limits();
    reset_signals();
    say("init");
    execve(arguments[0], arguments, environment);
    give_up("exec");
}

static void open_play(char *message, size_t length, const int *standard) {
    char *arguments[MOST_ARGUMENTS + 1];
    const char *flags = message + strlen("play");
    int count = 0;
    for (char *at = message + strlen(message) + 1; at < message + length && count < MOST_ARGUMENTS;
         at += strlen(at) + 1)
        arguments[count++] = at;
    arguments[count] = NULL;
    unsigned long namespaces = own_namespaces ? CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC : 0;
    /* A fork in new namespaces; the order of the raw call's other arguments differs between
     * machines, all are 0. */
    pid_t child = (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
    if (child == 0)
        become_init(flags, arguments, standard);
    if (child < 0) {
        char answer[64];
        snprintf(answer, sizeof answer, "failed %d clone", errno);
        say(answer);
    }
    init = child;
}

static void forget_deaths(void) {
    struct signalfd_siginfo death;
    while (read(deaths, &death, sizeof death) > 0) {
    }
}

static void tell_status(void) {
    char answer[64] = "alive";
    siginfo_t how = {0};
    if (init > 0 && waitid(P_PID, (id_t)init, &how, WEXITED | WNOHANG | WNOWAIT) == 0 &&
        how.si_pid != 0)
        snprintf(answer, sizeof answer, "status %d %d", how.si_code, how.si_status);
    say(answer);
}

static void for_each_child(void (*deal_with)(pid_t)) {
    char path[64];
    int child;
    snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
    FILE *children = fopen(path, "re");
    if (children == NULL)
        return;
    while (fscanf(children, "%d", &child) == 1)
        deal_with(child);
    fclose(children);
}

static void reap_unless_init(pid_t child) {
    if (child != init)
        waitpid(child, NULL, WNOHANG);
}

static void kill_child(pid_t child) {
    kill(child, SIGKILL);
}

/* Whoever we kill may leave children, who are ours then: again until there is none. Never blocks in
 * waitpid(2): a child that another one traces cannot be reaped before its tracer is dead. */
static void end_play(void) {
    struct pollfd death = {.fd = deaths, .events = POLLIN};
    init = -1;
    for (;;) {
        pid_t reaped;
        for_each_child(kill_child);
        while ((reaped = waitpid(-1, NULL, WNOHANG)) > 0) {
        }
        if (reaped < 0) /* ECHILD: nobody is left */
            return;
        poll(&death, 1, SWEEP_PAUSE_MS);
        forget_deaths();
    }
}

static void obey_next_order(void) {
    static char message[MESSAGE_SIZE];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(STANDARD_FDS * sizeof(int))];
    } control;
    struct iovec text = {message, sizeof message - 1};
    struct msghdr order = {.msg_iov = &text,
                           .msg_iovlen = 1,
                           .msg_control = &control,
                           .msg_controllen = sizeof control};
    ssize_t length = recvmsg(orders, &order, MSG_CMSG_CLOEXEC);
    if (length < 0 && errno == EINTR)
        return;
    if (length <= 0) {
        end_play();
        _exit(EXIT_SUCCESS);
    }
    message[length] = '\0';
    if (strncmp(message, "play", strlen("play")) == 0) {
        struct cmsghdr *rights = CMSG_FIRSTHDR(&order);
        if (rights == NULL || rights->cmsg_len != CMSG_LEN(STANDARD_FDS * sizeof(int)))
            give_up("a play needs three descriptors");
        int standard[STANDARD_FDS];
        memcpy(standard, CMSG_DATA(rights), sizeof standard);
        open_play(message, (size_t)length, standard);
        for (int fd = 0; fd < STANDARD_FDS; fd++)
            close(standard[fd]);
    } else if (strcmp(message, "status") == 0) {
        tell_status();
    } else if (strcmp(message, "end") == 0) {
        end_play();
        say("ended");
    }
}

int main(int argc, char **argv) {
    if (argc != 4) {
        fprintf(stderr, "usage: launcher pidns|subreaper SOCKET_FD PATH (the grader starts it)\n");
        return EXIT_FAILURE;
    }
    own_namespaces = strcmp(argv[1], "pidns") == 0;
    orders = atoi(argv[2]);
    environment[0] = argv[3];
    fcntl(orders, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);

    sigset_t child_died;
    sigemptyset(&child_died);
    sigaddset(&child_died, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_died, NULL);
    deaths = signalfd(-1, &child_died, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd watched[] = {{.fd = orders, .events = POLLIN}, {.fd = deaths, .events = POLLIN}};
    say("ready");
    for (;;) {
        poll(watched, 2, -1);
        if (watched[1].revents != 0) {
            forget_deaths();
            for_each_child(reap_unless_init);
        }
        if (watched[0].revents != 0)
            obey_next_order();
    }
}
