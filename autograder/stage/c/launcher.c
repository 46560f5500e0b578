/* The launcher: opens one play after another inside the sandbox of one submission.
 *
 *     launcher pidns|subreaper SOCKET_FD UID|- PATH=... TMP [ro:FOLDER|rw:FOLDER|build:FOLDER]...
 *
 * It is the only program between the sandbox (made once a submission, by bubblewrap where that is
 * possible) and the init that is judged. With a UID it runs as root, and the plays as that user.
 * Orders come over a SOCK_SEQPACKET connection, one message each:
 *
 *     "play" FLAGS \0 SETTING \0 SETTING \0 ... \0 \0 ARG0 \0 ARG1 \0 ...
 *         with standard input, output and error as SCM_RIGHTS; FLAGS is "-", or "t" (standard input
 *         becomes the controlling terminal), "r" (calls are reported, see timers.h), "c" (it is an
 *         ordinary command, below an init of ours); what the settings are, say start.h, birth.h and
 *         job.h. The init-to-be answers "init", whose SCM_CREDENTIALS tell its pid, with the
 *         descriptor for such reports, or, if it is to be traced, with one that it waits for until
 *         that is closed; "failed ERRNO" follows if exec fails
 *     "status"  answers "status CODE VALUE" (si_code and si_status of waitid(2)) or "alive"; init
 *               stays a zombie
 *     "excess"  answers of what the play took too much, or "nothing": it was killed then
 *     "birth"   answers "frozen" once somebody is frozen after init's fork, else "awaited" or
 *               "none"
 *     "give up" waits for no fork any more, answers "frozen" or "none"
 *     "thaw"    lets main run that was frozen, answers "none"
 *     "end"     kills whoever is left of the play, reaps them all, answers "ended"
 *     "means"   answers "means LANDLOCK SECCOMP FENCED ASKS": the version of the first, whether the
 *               second works, whether our signals reach nobody but the play, and who calls
 *               connect(2) has to ask
 *
 * In mode pidns each play has a PID namespace of its own, with init as its PID 1, and a private
 * /proc and /tmp. In mode subreaper init is a child subreaper, and the launcher one above it:
 * whoever init leaves behind becomes ours, so nobody escapes by fork and setsid. A command is the
 * child of whom orphans come to: of a PID 1 of ours that does nothing but reap, or of the launcher.
 * When the connection closes, everything ends.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "birth.h"
#include "census.h"
#include "confine.h"
#include "filter.h"
#include "job.h"
#include "start.h"
#include "timers.h"

enum {
    MESSAGE_SIZE = 65536,
    MOST_ARGUMENTS = 256,
    MOST_SETTINGS = 32,
    MOST_DESCENDANTS = 4096, /* far more than RLIMIT_NPROC lets a play have */
    STANDARD_FDS = 3,
    SWEEP_PAUSE_MS = 5,
    CENSUS_MS = 20,
    MOST_PROCESSES_OF_USER = 640, /* above what the census allows */
    PLAY_FILE_BYTES = 16 << 20,
    BUILD_FILE_BYTES = 64 << 20,
    PLAY_SECONDS = 20,  /* of processor time, each process */
    BUILD_SECONDS = 90, /* the judge stops a build sooner, and says why */
    BUILD_NICE_VALUE =
        10, /* of a plain user's: who counts them has the same right to a processor */
};

static int orders;                                /* the connection to the judge */
static int own_namespaces;                        /* mode pidns */
static uid_t user;                                /* whom plays run as; 0: as we do ourselves */
static char **folders;                            /* "ro:...", "rw:...", "build:...", NULL */
static rlim_t file_size = PLAY_FILE_BYTES;        /* the largest file that a play may write */
static int builds;                                /* the plays are builds, without actors */
static rlim_t processes = MOST_PROCESSES_OF_USER; /* that the user of a play may have */
static int fenced_in;                             /* our signals reach nobody but the play */
static int deaths;                                /* a signalfd for SIGCHLD */
static pid_t init = -1;    /* of the play that is on, also while a zombie; -1 between plays */
static const char *excess; /* what the play took too much of; it has been killed then */

static char home[256] = "HOME=", temporary[256] = "TMPDIR=";
static char *environment[16 + MOST_SETTINGS] = {
    NULL, /* "PATH=...", from the command line */
    home,
    temporary,
    "LANG=C.UTF-8",
    "PYTHONDONTWRITEBYTECODE=1",
    "ASAN_OPTIONS=detect_leaks=0", /* the leak checker stands on ptrace(2), which is forbidden */
    NULL,
};

static void say(const char *answer) {
    while (send(orders, answer, strlen(answer), MSG_NOSIGNAL) < 0 && errno == EINTR) {
    }
}

/* The same, with a descriptor, unless it is less than 0. */
static void say_with(const char *answer, int descriptor) {
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec text = {(void *)answer, strlen(answer)};
    struct msghdr message = {.msg_iov = &text, .msg_iovlen = 1};
    if (descriptor >= 0) {
        control.header.cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
        message.msg_control = &control;
        message.msg_controllen = sizeof control;
    }
    while (sendmsg(orders, &message, MSG_NOSIGNAL) < 0 && errno == EINTR) {
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

/* Whether `folder` is one that a build writes to: then its path, else NULL. */
static const char *build_folder(const char *folder) {
    return strncmp(folder, "build:", strlen("build:")) == 0 ? folder + strlen("build:") : NULL;
}

/* What a build may write to has an end: it is memory. Made once a sandbox, so that it outlives the
 * play. */
static void prepare_build(void) {
    for (char **folder = folders; *folder != NULL; folder++) {
        const char *path = build_folder(*folder);
        if (path == NULL)
            continue;
        builds = 1;
        file_size = BUILD_FILE_BYTES;
        /* bubblewrap's mount namespace is not ours to change; a copy of it is. */
        if (own_namespaces &&
            (unshare(CLONE_NEWNS) < 0 || mount("tmpfs", path, "tmpfs", MS_NOSUID | MS_NODEV,
                                               "size=256m,nr_inodes=16384,mode=755") < 0))
            give_up("mount a folder to build in");
        if (chdir(path) < 0)
            give_up("enter the folder to build in");
    }
}

static void become_user(void) {
    if (setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 ||
        setresuid(user, user, user) < 0)
        give_up("become a user of its own");
}

static int place_of_play(char *const *settings) {
    int without_sockets = builds || setting(settings, "stops") != NULL; /* nobody has to reach us */
    int reaches_others = user == 0 && !fenced_in;
    if (own_namespaces)
        return 0;
    return AMONG_OTHERS | (reaches_others ? NOT_FENCED : 0) | (without_sockets ? NO_ACTORS : 0);
}

/* Should the machine run out of memory all the same, the kernel takes a play, not the grader. */
static void be_the_first_victim(void) {
    int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (score >= 0 && write(score, "1000", strlen("1000")) < 0) {
        /* Then we are not; nothing depends on it. */
    }
    close(score);
}

/* Signals as a fresh login has them: nothing ignored, nothing blocked. */
static void reset_signals(void) {
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Says that we are there, and sleeps until somebody who traces us by then closes the other end of
 * that pipe. If he ends instead, report_to_tracer() fails. */
static void wait_to_be_traced(void) {
    int gate[2];
    char nothing;
    if (pipe2(gate, O_CLOEXEC) < 0)
        give_up("pipe");
    say_with("init", gate[1]);
    close(gate[1]);
    if (read(gate[0], &nothing, 1) < 0)
        give_up("wait at the gate");
    close(gate[0]);
}

static int is_command(const char *flags) {
    return strchr(flags, 'c') != NULL;
}

static void become_init(const char *flags, char **settings, char **arguments, const int *standard) {
    const char *terminal = strchr(flags, 't') != NULL ? ttyname(standard[0]) : NULL;
    if (!own_namespaces && !is_command(flags))
        prctl(PR_SET_CHILD_SUBREAPER, 1); /* survives execve(2): init need not know of it */
    be_the_first_victim();
    if (!is_job(settings))
        setsid();
    for (int fd = 0; fd < STANDARD_FDS; fd++)
        dup2(standard[fd], fd);
    if (is_job(settings) ? become_job(settings)
                         : strchr(flags, 't') != NULL && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
        give_up("take the terminal");
    close_range(STANDARD_FDS, ~0U, CLOSE_RANGE_CLOEXEC);
    umask(022);
    if (set_surroundings(settings, environment, sizeof environment / sizeof *environment) < 0)
        give_up("start init as the script says");
    set_limits(file_size, processes, builds ? BUILD_SECONDS : PLAY_SECONDS);
    if (builds && !own_namespaces && user == 0 && nice(BUILD_NICE_VALUE) < 0) {
        /* Then a fork bomb that a build starts takes a little longer to be counted. */
    }
    if (user != 0)
        become_user();
    if (own_namespaces && drop_capabilities() < 0)
        give_up("drop capabilities");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        give_up("no_new_privs");
    if (!own_namespaces && hide_files(folders, terminal) < 0)
        give_up("hide files");
    int reports = strchr(flags, 'r') != NULL && can_filter()
                      ? report_calls(!own_namespaces, setting(settings, "hold") != NULL)
                      : -1;
    const char *stops = setting(settings, "stops");
    reset_signals(); /* before we are traced: each of these calls would be a stop */
    if (stops != NULL) {
        personality(ADDR_NO_RANDOMIZE); /* the same play again is the same, whatever it prints */
        wait_to_be_traced();
        if (report_to_tracer(stops) < 0)
            give_up("be traced");
    }
    if (can_filter() && filter_calls(place_of_play(settings)) < 0)
        give_up("filter system calls");
    set_descriptors_and_signals(settings);
    if (stops == NULL)
        say_with("init", reports);
    execve(arguments[0], arguments, environment);
    give_up("exec");
}

/* The texts from `at` on, up to an empty one if `until_empty`, as a list; answers what follows. */
static char *take_texts(char *at, const char *end, int until_empty, char **list, int most) {
    int count = 0;
    for (; at < end && count < most && (*at != '\0' || !until_empty); at += strlen(at) + 1)
        list[count++] = at;
    list[count] = NULL;
    return at + 1;
}

static void for_each_child(void (*deal_with)(pid_t));
static void reap_unless_init(pid_t child);

/* PID 1 of a play whose subject, `command`, is its only child at first: reaps whoever becomes an
 * orphan, and leaves the subject a zombie, as the launcher does with an init. Holds nothing open:
 * whoever waits for the end of one of our descriptors does not wait for it. */
static _Noreturn void only_reap(pid_t command) {
    sigset_t child_died;
    siginfo_t death;
    prctl(PR_SET_DUMPABLE, 0); /* the subject runs as the same user, and is to leave us alone */
    syscall(SYS_close_range, 0, ~0U, 0);
    sigemptyset(&child_died);
    sigaddset(&child_died, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_died, NULL);
    init = command;
    for (;;) {
        for_each_child(reap_unless_init);
        sigwaitinfo(&child_died, &death);
    }
}

static void begin_play(const char *flags, char **settings, char **arguments, const int *standard) {
    if (own_namespaces)
        mount_private_folders();
    if (own_namespaces && is_command(flags)) {
        pid_t command = fork();
        if (command < 0)
            give_up("fork");
        if (command > 0)
            only_reap(command);
    }
    become_init(flags, settings, arguments, standard);
}

static void open_play(char *message, size_t length, const int *standard) {
    char *settings[MOST_SETTINGS + 1], *arguments[MOST_ARGUMENTS + 1];
    const char *flags = message + strlen("play"), *end = message + length;
    char *rest = take_texts(message + strlen(message) + 1, end, 1, settings, MOST_SETTINGS);
    take_texts(rest, end, 0, arguments, MOST_ARGUMENTS);
    unsigned long namespaces = own_namespaces ? CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC : 0;
    /* A fork in new namespaces; the order of the raw call's other arguments differs between
     * machines, all are 0. */
    int gate[2] = {-1, -1}; /* init waits there until we trace it */
    if (birth_is_awaited(settings) && pipe(gate) < 0)
        give_up("pipe");
    pid_t child = is_job(settings) ? clone_into_session(namespaces, standard[0])
                                   : (pid_t)syscall(SYS_clone, namespaces | SIGCHLD, 0, 0, 0, 0);
    if (child == 0) {
        char nothing;
        if (birth_is_awaited(settings) && (close(gate[1]), read(gate[0], &nothing, 1) < 0))
            give_up("wait at the gate");
        begin_play(flags, settings, arguments, standard);
    }
    const char *failed = child < 0 ? "clone" : NULL;
    int error = errno;
    if (child > 0 && birth_is_awaited(settings) && await_birth(child, settings) < 0) {
        failed = "trace";
        error = errno;
        kill(child, SIGKILL); /* it is still at the gate, and a play's init until the play ends */
    }
    close(gate[0]);
    close(gate[1]);
    if (failed != NULL) {
        char answer[64];
        snprintf(answer, sizeof answer, "failed %d %s", error, failed);
        say(answer);
    }
    init = child;
    excess = NULL;
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

/* As the user that all of the play are, and nobody else is. They may stop the killer before it has
 * done it; then the next one does. */
static void kill_user(void) {
    int status;
    pid_t killer = fork();
    if (killer == 0) {
        if (setresuid(user, user, user) == 0)
            kill(-1, SIGKILL);
        _exit(EXIT_SUCCESS);
    }
    while (killer > 0 &&
           (waitpid(killer, &status, WUNTRACED) < 0 ? errno == EINTR : WIFSTOPPED(status)))
        kill(killer, SIGKILL);
}

/* Everybody below us, parents first. */
static void for_each_descendant(void (*deal_with)(pid_t)) {
    static pid_t list[MOST_DESCENDANTS];
    size_t length = list_children(getpid(), list, 0, MOST_DESCENDANTS);
    for (size_t i = 0; i < length; i++) {
        deal_with(list[i]);
        length = list_children(list[i], list, length, MOST_DESCENDANTS);
    }
}

static int somebody_could_fork;

static void forbid_to_fork(pid_t process) {
    static const struct rlimit none = {0, 0};
    struct rlimit before;
    if (prlimit(process, RLIMIT_NPROC, &none, &before) == 0 && before.rlim_max != 0)
        somebody_could_fork = 1;
    kill(process, SIGSTOP);
}

/* Takes the right to fork, and the processor, from everybody, and kills nobody until all have lost
 * both: the dead would make room, of which RLIMIT_NPROC leaves little, for others to be born. Who
 * may fork has a parent who may, so once a walk finds nobody, there is nobody. */
static void freeze_and_kill(void) {
    do {
        somebody_could_fork = 0;
        for_each_descendant(forbid_to_fork);
    } while (somebody_could_fork);
    for_each_descendant(kill_child);
}

/* Where the kernel can, everybody at the same instant: then no fork outruns it. */
static void kill_everybody(void) {
    if (user != 0)
        kill_user();
    else if (fenced_in)
        kill(-1, SIGKILL);
    else if (!own_namespaces)
        freeze_and_kill();
    for_each_child(kill_child);
}

/* Whether init is dead, or there is no play, and has no sibling. */
static int nobody_is_left(void) {
    siginfo_t how = {0};
    pid_t list[2];
    size_t children = list_children(getpid(), list, 0, 2);
    if (children == 0)
        return 1;
    return children == 1 && list[0] == init &&
           waitid(P_PID, (id_t)init, &how, WEXITED | WNOHANG | WNOWAIT) == 0 && how.si_pid != 0;
}

/* Kills everybody of the play; init stays a zombie. Whoever we kill may leave children, who are
 * ours then: again until there is none. With PID 1 of a namespace all die, and nobody forks there
 * any more. Never blocks in waitpid(2): a child that another one traces cannot be reaped before its
 * tracer is dead. */
static void kill_play(void) {
    struct pollfd death = {.fd = deaths, .events = POLLIN};
    for (;;) {
        kill_everybody();
        attend_birth();
        for_each_child(reap_unless_init);
        if (nobody_is_left())
            return;
        poll(&death, 1, SWEEP_PAUSE_MS);
        forget_deaths();
    }
}

static void end_play(void) {
    kill_play();
    if (init > 0)
        waitpid(init, NULL, 0);
    forget_init();
    init = -1;
}

static long milliseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* By the clock: whoever makes us busy with deaths does not escape it. */
static void take_census(void) {
    static long last;
    if (init <= 0 || excess != NULL || milliseconds() - last < CENSUS_MS)
        return;
    if ((excess = excess_of(own_namespaces, user, folders)) != NULL)
        kill_play();
    last = milliseconds();
}

static void tell_means(void) {
    char answer[64];
    snprintf(answer, sizeof answer, "means %d %d %d %d", landlock_version(), can_filter(),
             fenced_in, can_report());
    say(answer);
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
    } else if (strcmp(message, "excess") == 0) {
        say(excess == NULL ? "nothing" : excess);
    } else if (strcmp(message, "means") == 0) {
        tell_means();
    } else if (strcmp(message, "birth") == 0) {
        say(birth_so_far());
    } else if (strcmp(message, "give up") == 0) {
        forget_birth();
        say(birth_so_far());
    } else if (strcmp(message, "thaw") == 0) {
        thaw_newborn();
        say("none");
    } else if (strcmp(message, "end") == 0) {
        end_play();
        say("ended");
    }
}

int main(int argc, char **argv) {
    if (argc < 6) {
        fprintf(stderr, "usage: launcher pidns|subreaper SOCKET_FD UID PATH TMP [FOLDER...] "
                        "(the grader starts it)\n");
        return EXIT_FAILURE;
    }
    own_namespaces = strcmp(argv[1], "pidns") == 0;
    orders = atoi(argv[2]);
    user = (uid_t)atoi(argv[3]);
    environment[0] = argv[4];
    strncat(home, argv[5], sizeof home - sizeof "HOME=");
    strncat(temporary, argv[5], sizeof temporary - sizeof "TMPDIR=");
    folders = argv + 6;
    fcntl(orders, F_SETFD, FD_CLOEXEC);
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    prepare_build();
    if (!own_namespaces && user == 0)
        processes += (rlim_t)threads_of(getuid()); /* who are none of the play */
    fenced_in = !own_namespaces && user == 0 && fence_signals_in();

    sigset_t child_died;
    sigemptyset(&child_died);
    sigaddset(&child_died, SIGCHLD);
    sigprocmask(SIG_BLOCK, &child_died, NULL);
    deaths = signalfd(-1, &child_died, SFD_CLOEXEC | SFD_NONBLOCK);
    struct pollfd watched[] = {{.fd = orders, .events = POLLIN}, {.fd = deaths, .events = POLLIN}};
    say("ready");
    for (;;) {
        poll(watched, 2, init > 0 && excess == NULL ? CENSUS_MS : -1);
        take_census();
        if (watched[1].revents != 0) {
            forget_deaths();
            attend_birth();
            for_each_child(reap_unless_init);
        }
        if (watched[0].revents != 0)
            obey_next_order();
    }
}
