/* Starts and stops jobs when events come, as upstart did.
 *
 *     ./events FOLDER
 *
 * A job is always on its way to a goal, START or STOP, and goes from state to state (enter()). In
 * two of them, STARTING and STOPPING, it emits an event and goes on when that has *finished*: when
 * all jobs that it has started are running, and all that it has stopped have stopped. Everything
 * happens in settle(), one event after the other; deaths and lines only wake us up.
 */
#define _GNU_SOURCE /* ppoll() */
#include <ctype.h>
#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "jobfiles.h"

enum { TROUBLE = 1, NOT_FOUND = 127, LONGEST_LINE = 4096, NOBODY = 0 };

enum goal { STOP, START };
enum state { WAITING, STARTING, PRE_START, SPAWNED, RUNNING, STOPPING, KILLED };

static const char *const goal_names[] = {"stop", "start"};
static const char *const state_names[] = {"waiting", "starting", "pre-start", "spawned",
                                          "running", "stopping", "killed"};

/* An event is never freed: conditions remember some, and they are small. */
struct event {
    struct event *next; /* in the queue, or in the list of the unfinished */
    char *name;
    variables variables;
    struct job *holds_up; /* who goes on when this has finished; NULL if nobody waits for it */
    int waits_for;        /* so many jobs are on their way because of it */
    bool is_typed;
};

struct job {
    struct job_file *file;
    enum goal goal;
    enum state state;
    struct event *cause;   /* what waits until it has got where it goes; NULL if nothing does */
    char *environment[64]; /* of its processes: the variables of the events that have started it */
    pid_t pid;             /* of its process: of pre-start, or the main one; or NOBODY */
    pid_t first;           /* the pid that the main process had when we made it */
    double deadline;       /* when SIGKILL follows SIGTERM; 0 if it does not */
    bool has_failed;
    int respawns;
    double respawns_since; /* 0: there was none */
};

static struct job *jobs;
static size_t how_many;
static struct event *pending;    /* nobody has heard of them yet; in their order */
static struct event *unfinished; /* they have been heard, and wait for jobs */
static struct event *last_event; /* shutdown, once our input is at its end: nobody starts then */
static sigset_t inherited;       /* the mask that we were started with: jobs get it back */

static void enter(struct job *job, enum state state);

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void *checked(void *memory) {
    if (memory == NULL) {
        err(TROUBLE, "no memory");
    }
    return memory;
}

/* Events */

static void append(struct event **list, struct event *event) {
    while (*list != NULL) {
        list = &(*list)->next;
    }
    event->next = NULL;
    *list = event;
}

static struct event *emit(const char *name, struct job *holds_up) {
    struct event *event = checked(calloc(1, sizeof *event));
    event->name = checked(strdup(name));
    event->holds_up = holds_up;
    append(&pending, event);
    return event;
}

static void set(struct event *event, size_t place, const char *key, const char *value) {
    if (asprintf(&event->variables[place], "%s=%s", key, value) < 0) {
        err(TROUBLE, "no memory");
    }
}

/* Notes in a condition that an event has come. Returns whether that was news. */
static bool note(struct condition *condition, struct event *event) {
    if (condition->kind != MATCH) {
        bool left = note(condition->left, event);
        return note(condition->right, event) || left;
    }
    if (condition->came != NULL || !fits(condition, event->name, event->variables)) {
        return false;
    }
    condition->came = event;
    return true;
}

static bool holds(const struct condition *condition) {
    switch (condition->kind) {
    case BOTH:
        return holds(condition->left) && holds(condition->right);
    case EITHER:
        return holds(condition->left) || holds(condition->right);
    default:
        return condition->came != NULL;
    }
}

static bool hears(struct condition *condition, struct event *event) {
    return condition != NULL && note(condition, event) && holds(condition);
}

/* It starts afresh. */
static void forget(struct condition *condition) {
    if (condition != NULL && condition->kind != MATCH) {
        forget(condition->left);
        forget(condition->right);
    } else if (condition != NULL) {
        condition->came = NULL;
    }
}

/* The variables of the events that have come, and their names, for the job that they start. */
static size_t gather(const struct condition *condition, char **environment, size_t count,
                     char *names) {
    if (condition->kind != MATCH) {
        count = gather(condition->left, environment, count, names);
        return gather(condition->right, environment, count, names);
    }
    struct event *event = condition->came;
    if (event != NULL) {
        snprintf(names + strlen(names), LONGEST_LINE - strlen(names), "%s%s", *names ? " " : "",
                 event->name);
        for (size_t i = 0; event->variables[i] != NULL && count < 60; i++) {
            environment[count++] = event->variables[i];
        }
    }
    return count;
}

/* Jobs */

static void announce(struct job *job, const char *what, bool holds_up) {
    printf("%s %s\n", job->file->name, what);
    struct event *event = emit(what, holds_up ? job : NULL);
    set(event, 0, "JOB", job->file->name);
    if (strncmp(what, "stop", 4) == 0) {
        set(event, 1, "RESULT", job->has_failed ? "failed" : "ok");
    }
}

static void release(struct job *job) {
    if (job->cause != NULL) {
        job->cause->waits_for--;
        job->cause = NULL;
    }
}

/* Has it started or stopped; an event that asks for it then waits until that is done. */
static void aim(struct job *job, enum goal goal, struct event *event) {
    if (goal == job->goal || (goal == START && last_event != NULL)) {
        return;
    }
    release(job);
    job->goal = goal;
    job->cause = event;
    if (event != NULL) {
        event->waits_for++;
    }
    if (goal == START && job->state == WAITING) {
        job->has_failed = false;
        job->respawns_since = 0;
        enter(job, STARTING);
    } else if (goal == STOP &&
               (job->state == PRE_START || job->state == SPAWNED || job->state == RUNNING)) {
        enter(job, STOPPING);
    }
}

/* The child becomes a job's process, in a session of its own. What is typed is for us: its input is
 * empty. */
static _Noreturn void become(struct job *job, char **command) {
    setsid();
    int nothing = open("/dev/null", O_RDONLY);
    if (nothing > STDIN_FILENO) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    for (size_t i = 0; job->environment[i] != NULL; i++) {
        putenv(job->environment[i]);
    }
    setenv("UPSTART_JOB", job->file->name, 1);
    sigprocmask(SIG_SETMASK, &inherited, NULL);
    execvp(command[0], command);
    warn("%s", command[0]);
    _exit(NOT_FOUND); /* there must not be a second init */
}

static void spawn(struct job *job, char **command) {
    pid_t pid = fork();
    if (pid < 0) {
        err(TROUBLE, "fork");
    }
    if (pid == 0) {
        become(job, command);
    }
    job->pid = pid;
}

/* To all of its group: what the main process has started is the job's, too. */
static void signal_all(const struct job *job, int number) {
    pid_t group = getpgid(job->pid);
    if (group > 0) {
        kill(-group, number);
    }
}

/* Nothing of it is left: the way is over, or begins again. */
static void has_ended(struct job *job) {
    job->deadline = 0;
    if (job->goal == START && last_event == NULL) {
        enter(job, STARTING);
        return;
    }
    job->goal = STOP;
    job->state = WAITING;
    announce(job, "stopped", false);
    forget(job->file->stop_on);
    release(job);
}

static void enter(struct job *job, enum state state) {
    job->state = state;
    switch (state) {
    case STARTING:
        announce(job, "starting", true);
        break;
    case PRE_START:
        if (job->file->pre_start[0] != NULL) {
            spawn(job, job->file->pre_start);
        } else {
            enter(job, SPAWNED);
        }
        break;
    case SPAWNED:
        spawn(job, job->file->command);
        job->first = job->pid;
        if (job->file->expect == NOTHING) {
            enter(job, RUNNING);
        }
        break;
    case RUNNING:
        announce(job, "started", false);
        release(job);
        break;
    case STOPPING:
        announce(job, "stopping", true);
        break;
    case KILLED:
        if (job->pid == NOBODY) {
            has_ended(job);
        } else {
            signal_all(job, SIGTERM);
            job->deadline = now() + job->file->kill_timeout;
        }
        break;
    case WAITING:
        break;
    }
}

/* Its event has finished: it was held up in one of two states. */
static void goes_on(struct job *job) {
    if (job->state == STOPPING) {
        enter(job, KILLED);
    } else {
        enter(job, job->goal == START ? PRE_START : STOPPING);
    }
}

static void fail(struct job *job) {
    job->goal = STOP;
    job->has_failed = true;
    enter(job, STOPPING);
}

static bool may_respawn(struct job *job) {
    if (job->respawns_since == 0 || now() - job->respawns_since >= job->file->interval) {
        job->respawns = 0;
        job->respawns_since = now();
    }
    return ++job->respawns <= job->file->limit;
}

static void main_has_ended(struct job *job, int status) {
    if (job->goal == START && job->file->respawn && may_respawn(job)) {
        enter(job, STOPPING);
    } else if (status == 0) {
        job->goal = STOP;
        enter(job, STOPPING);
    } else {
        fail(job);
    }
}

static bool is_known(pid_t pid) {
    for (size_t i = 0; i < how_many; i++) {
        if (jobs[i].pid == pid) {
            return true;
        }
    }
    return false;
}

/* Whether it is a child of ours, and no zombie: see proc(5). */
static bool is_living_child(pid_t pid) {
    char path[64], text[512] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return false;
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    char state;
    int parent;
    const char *rest = strrchr(text, ')'); /* a name may have blanks, and more of these */
    return rest != NULL && sscanf(rest, ") %c %d", &state, &parent) == 2 && state != 'Z' &&
           state != 'X' && parent == getpid();
}

/* Who has started it has left. Its orphan has become our child, and is the main process now.
 *
 * A daemon has left the session in which we started the first one, and leads no other. Who does not
 * look like that may fork once more: it is followed until then. Of several it is the youngest. */
static void look_for_the_daemon(struct job *job) {
    bool is_likely = false;
    DIR *processes = opendir("/proc");
    struct dirent *entry;
    while (processes != NULL && (entry = readdir(processes)) != NULL) {
        pid_t pid = isdigit((unsigned char)*entry->d_name) ? atoi(entry->d_name) : NOBODY;
        if (pid == NOBODY || is_known(pid) || !is_living_child(pid)) {
            continue;
        }
        pid_t session = getsid(pid);
        bool likely = job->file->expect == FORK ? session == job->first
                                                : session != job->first && session != pid;
        if (likely > is_likely || (likely == is_likely && pid > job->pid)) {
            job->pid = pid;
            is_likely = likely;
        }
    }
    if (processes != NULL) {
        closedir(processes);
    }
    if (job->pid == NOBODY) {
        main_has_ended(job, 0);
    } else if (is_likely || job->file->expect == FORK) {
        enter(job, RUNNING);
    }
}

/* Its process has ended, and has been collected. */
static void lost_its_process(struct job *job, int status) {
    job->pid = NOBODY;
    switch (job->state) {
    case PRE_START:
        if (status == 0) {
            enter(job, SPAWNED);
        } else {
            fail(job);
        }
        break;
    case SPAWNED:
        if (status == 0) {
            look_for_the_daemon(job);
        } else {
            main_has_ended(job, status);
        }
        break;
    case RUNNING:
        main_has_ended(job, status);
        break;
    case KILLED:
        has_ended(job);
        break;
    default: /* it is STOPPING, and will see */
        break;
    }
}

static void tell(const struct job *job) {
    printf("%s %s/%s", job->file->name, goal_names[job->goal], state_names[job->state]);
    if (job->pid != NOBODY) {
        printf(", process %d", (int)job->pid);
    }
    printf("\n");
}

/* What happens */

static void tell_the_jobs(struct event *event) {
    for (struct job *job = jobs; job < jobs + how_many; job++) {
        struct condition *start_on = job->file->start_on, *stop_on = job->file->stop_on;
        if (job->state != WAITING && hears(stop_on, event)) {
            forget(stop_on);
            aim(job, STOP, event);
        }
        if (hears(start_on, event)) {
            if (job->goal == STOP) {
                char *names = checked(calloc(1, LONGEST_LINE));
                strcpy(names, "UPSTART_EVENTS=");
                size_t count = gather(start_on, job->environment, 0, names + strlen(names));
                job->environment[count] = names;
                job->environment[count + 1] = NULL;
            }
            forget(start_on);
            aim(job, START, event);
        }
    }
}

/* Goes on until every event has finished, or waits for a job that waits for its process. */
static void settle(void) {
    for (;;) {
        struct event **place = &unfinished;
        while (*place != NULL && (*place)->waits_for > 0) {
            place = &(*place)->next;
        }
        struct event *event = *place;
        if (event != NULL) {
            *place = event->next;
            if (event->is_typed) {
                printf("%s finished\n", event->name);
            }
            if (event->holds_up != NULL) {
                goes_on(event->holds_up);
            }
            for (struct job *job = jobs; event == last_event && job < jobs + how_many; job++) {
                aim(job, STOP, NULL);
            }
        } else if (pending != NULL) {
            event = pending;
            pending = event->next;
            append(&unfinished, event);
            tell_the_jobs(event);
        } else {
            return;
        }
    }
}

/* Collects everybody who is dead by now, and only then looks what follows from it: who has died is
 * not to be found among orphans. One SIGCHLD can stand for many deaths. */
static void collect_the_dead(void) {
    struct death {
        struct job *job;
        int status;
    } *deaths = checked(calloc(how_many + 1, sizeof *deaths));
    size_t count = 0;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (struct job *job = jobs; job < jobs + how_many; job++) {
            if (job->pid == pid) {
                deaths[count++] = (struct death){job, status};
            }
        }
    }
    for (size_t i = 0; i < count; i++) {
        lost_its_process(deaths[i].job, deaths[i].status);
    }
    free(deaths);
}

static void kill_the_stubborn(void) {
    for (struct job *job = jobs; job < jobs + how_many; job++) {
        if (job->deadline > 0 && job->deadline <= now()) {
            job->deadline = 0;
            signal_all(job, SIGKILL);
        }
    }
}

/* Commands */

static struct job *called(const char *name) {
    for (struct job *job = jobs; job < jobs + how_many; job++) {
        if (strcmp(job->file->name, name) == 0) {
            return job;
        }
    }
    warnx("%s: unknown job", name);
    return NULL;
}

static void obey(char *line) {
    char *words[MOST_WORDS] = {NULL}, *rest = line, *word;
    size_t count = 0;
    while (count < MOST_WORDS - 1 && (word = strsep(&rest, " \t")) != NULL) {
        if (*word != '\0') {
            words[count++] = word;
        }
    }
    if (count >= 2 && strcmp(words[0], "emit") == 0) {
        struct event *event = emit(words[1], NULL);
        event->is_typed = true;
        for (size_t i = 2; i < count; i++) {
            char *value = strchr(words[i], '=');
            if (value != NULL) {
                *value++ = '\0';
            }
            set(event, i - 2, words[i], value != NULL ? value : "");
        }
    } else if (count == 1 && strcmp(words[0], "status") == 0) {
        for (struct job *job = jobs; job < jobs + how_many; job++) {
            tell(job);
        }
    } else if (count == 2 && strcmp(words[0], "status") == 0) {
        struct job *job = called(words[1]);
        if (job != NULL) {
            tell(job);
        }
    } else if (count == 2 && strcmp(words[0], "start") == 0) {
        struct job *job = called(words[1]);
        if (job != NULL && job->goal == START) {
            warnx("%s: it is started already", words[1]);
        } else if (job != NULL) {
            job->environment[0] = NULL;
            aim(job, START, NULL);
        }
    } else if (count == 2 && strcmp(words[0], "stop") == 0) {
        struct job *job = called(words[1]);
        if (job != NULL && job->goal == STOP) {
            warnx("%s: it is stopped already", words[1]);
        } else if (job != NULL) {
            aim(job, STOP, NULL);
        }
    } else if (count > 0) {
        warnx("not understood: %s", words[0]);
    }
    settle();
}

/* Reads what there is, and obeys every line of it: a read can bring half a line or fifty. Returns
 * whether there may be more. */
static bool take_input(void) {
    static char text[LONGEST_LINE];
    static size_t length;

    ssize_t more = read(STDIN_FILENO, text + length, sizeof text - 1 - length);
    length += more > 0 ? (size_t)more : 0;
    text[length] = '\0';

    char *line = text, *end;
    while ((end = strchr(line, '\n')) != NULL) {
        *end = '\0';
        obey(line);
        line = end + 1;
    }
    if (more <= 0) {
        obey(line); /* the last line may lack its end */
        last_event = emit("shutdown", NULL);
        return false;
    }
    length = strlen(line);
    if (length == sizeof text - 1) {
        length = 0; /* a line without end */
    }
    memmove(text, line, length + 1);
    return true;
}

/* Sleeps until there is a line, or somebody dies, or it is time for a SIGKILL. */
static bool sleep_for_news(bool more_to_read, const sigset_t *while_asleep) {
    double first = 0;
    for (struct job *job = jobs; job < jobs + how_many; job++) {
        if (job->deadline > 0 && (first == 0 || job->deadline < first)) {
            first = job->deadline;
        }
    }
    double left = first - now() > 0 ? first - now() : 0;
    struct timespec time = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
    struct pollfd input = {.fd = more_to_read ? STDIN_FILENO : -1, .events = POLLIN};
    return ppoll(&input, 1, first > 0 ? &time : NULL, while_asleep) > 0;
}

static bool all_are_waiting(void) {
    for (size_t i = 0; i < how_many; i++) {
        if (jobs[i].state != WAITING) {
            return false;
        }
    }
    return true;
}

static void wake_up(int number) {
    (void)number; /* there is nothing to do: it has interrupted ppoll(), and that is all */
}

int main(int argc, char *argv[]) {
    if (argc != 2) {
        errx(TROUBLE, "usage: events FOLDER");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) { /* orphans below us come to us */
        err(TROUBLE, "prctl");
    }
    struct sigaction action = {.sa_handler = wake_up};
    sigaction(SIGCHLD, &action, NULL);
    sigset_t sigchld, while_asleep;
    sigemptyset(&sigchld);
    sigaddset(&sigchld, SIGCHLD);
    sigprocmask(SIG_BLOCK, &sigchld, &inherited);
    while_asleep = inherited;
    sigdelset(&while_asleep, SIGCHLD);

    struct job_file *files = read_folder(argv[1], &how_many);
    jobs = checked(calloc(how_many + 1, sizeof *jobs));
    for (size_t i = 0; i < how_many; i++) {
        jobs[i].file = &files[i];
    }
    emit("startup", NULL);
    bool more_to_read = true;
    for (;;) {
        settle();
        if (!more_to_read && all_are_waiting()) {
            return 0;
        }
        bool is_line = sleep_for_news(more_to_read, &while_asleep);
        collect_the_dead();
        kill_the_stubborn();
        if (is_line) {
            settle();
            more_to_read = take_input();
        }
    }
}
