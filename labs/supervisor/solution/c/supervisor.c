/* A service manager: starts units in order, looks after their processes, and stops them in order.
 *
 *     ./supervisor FOLDER
 *
 * A unit has a state, which is what is so, and perhaps a job, which is what is wanted. A job waits
 * until those before it are done, and is over when the unit has got there (done()). Everything that
 * happens, a line, a death, a time, changes a state or a job; settle() then looks who can go on.
 */
#define _GNU_SOURCE /* ppoll(), pipe2() */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "unitfile.h"

enum { TROUBLE = 1, NOT_FOUND = 127, LONGEST_LINE = 4096, NOBODY = 0, CLOSED = -1, READY_FD = 3 };
enum { MOST_OTHERS = 256 };

enum state { INACTIVE, FAILED, ACTIVATING, ACTIVE, DEACTIVATING, AUTO_RESTART };
static const char *const state_names[] = {"inactive", "failed",       "activating",
                                          "active",   "deactivating", "auto-restart"};

enum job { NO_JOB, START, STOP, RESTART }; /* RESTART becomes START once the unit has stopped */

/* A command that waits for its answer. */
struct request {
    struct request *next;
    char *text;
    struct unit *unit;
    enum job wants; /* START or STOP */
};

struct unit {
    struct unit_file *file;
    enum state state;
    enum job job;
    const char *result;        /* why it has failed; NULL: it has not */
    bool told_to_stop;         /* or to leave: then it is not started again */
    bool is_marked;            /* in a walk through all units */
    pid_t main;                /* or NOBODY */
    pid_t group;               /* of the main process that there was last */
    pid_t others[MOST_OTHERS]; /* who descends from them, as far as we have looked */
    size_t how_many_others;
    int output, ready; /* pipes that its processes write to, or CLOSED */
    char line[LONGEST_LINE];
    size_t line_length; /* of what it has said since the last newline */
    pid_t speaker;      /* whose line that is */
    double deadline;    /* when the state has lasted too long, or AUTO_RESTART is over; INFINITY */
    int starts;
    double starts_since; /* so many since then; 0: there was none */
};

static struct unit *units;
static size_t how_many;
static struct request *requests;
static bool is_shutting_down;
static volatile sig_atomic_t was_told_to_end;
static sigset_t inherited; /* the mask that we were started with: services get it back */

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

static struct unit *called(const char *name) {
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (strcmp(unit->file->name, name) == 0) {
            return unit;
        }
    }
    return NULL;
}

static bool names(char *const *list, const struct unit *unit) {
    for (; *list != NULL; list++) {
        if (strcmp(*list, unit->file->name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_down(const struct unit *unit) {
    return unit->state == INACTIVE || unit->state == FAILED;
}

static bool comes_after(const struct unit *unit, const struct unit *other) {
    return names(unit->file->after, other) || names(other->file->before, unit);
}

/* What is told */

static void tell(const struct unit *unit) {
    printf("%s: %s", unit->file->name, state_names[unit->state]);
    if (unit->state == FAILED) {
        printf(" (%s)", unit->result);
    }
    printf("\n");
}

static void enter(struct unit *unit, enum state state, double seconds) {
    unit->state = state;
    unit->deadline = now() + seconds;
    tell(unit);
}

static void answer(struct unit *unit, enum job wanted, bool went_well) {
    struct request **place = &requests;
    while (*place != NULL) {
        struct request *request = *place;
        if (request->unit != unit || request->wants != wanted) {
            place = &request->next;
            continue;
        }
        printf("%s: %s\n", went_well ? "ok" : "failed", request->text);
        *place = request->next;
        free(request->text);
        free(request);
    }
}

static void print_line(struct unit *unit) {
    printf("%s[%d]: %.*s\n", unit->file->name, (int)unit->speaker, (int)unit->line_length,
           unit->line);
    unit->line_length = 0;
}

/* Prints what its processes have written, a line at a time. */
static void read_output(struct unit *unit) {
    char text[LONGEST_LINE];
    ssize_t length;
    while (unit->output != CLOSED && (length = read(unit->output, text, sizeof text)) > 0) {
        for (ssize_t i = 0; i < length; i++) {
            if (text[i] == '\n' || unit->line_length == sizeof unit->line) {
                print_line(unit);
            }
            if (text[i] != '\n') {
                unit->line[unit->line_length++] = text[i];
            }
        }
    }
    if (unit->output != CLOSED && length == 0) {
        close(unit->output); /* nobody has the other end any more */
        unit->output = CLOSED;
    }
}

/* The last word goes before the light: a line without an end is one, too. */
static void hear_it_out(struct unit *unit) {
    read_output(unit);
    if (unit->line_length > 0) {
        print_line(unit);
    }
    if (unit->output != CLOSED) {
        close(unit->output);
        unit->output = CLOSED;
    }
}

/* Its processes */

/* The child becomes a service: it leads a session, reads nothing, and writes to us. */
static _Noreturn void become(struct unit *unit, int output, int ready) {
    setsid();
    int nothing = open("/dev/null", O_RDONLY);
    dup2(nothing, STDIN_FILENO);
    dup2(output, STDOUT_FILENO);
    dup2(output, STDERR_FILENO);
    if (nothing > STDERR_FILENO) {
        close(nothing);
    }
    if (ready == READY_FD) {
        fcntl(ready, F_SETFD, 0);
    } else if (ready != CLOSED) {
        dup2(ready, READY_FD);
    }
    if (ready != CLOSED) {
        setenv("NOTIFY_FD", "3", 1);
    }
    sigprocmask(SIG_SETMASK, &inherited, NULL);
    execvp(unit->file->command[0], unit->file->command);
    warn("%s", unit->file->command[0]);
    _exit(NOT_FOUND); /* there must not be a second manager */
}

static void spawn(struct unit *unit) {
    int output[2], ready[2] = {CLOSED, CLOSED};
    if (pipe2(output, O_CLOEXEC) != 0 ||
        (unit->file->type == NOTIFY && pipe2(ready, O_CLOEXEC) != 0)) {
        err(TROUBLE, "pipe");
    }
    fcntl(output[0], F_SETFL, O_NONBLOCK); /* our ends: nothing that it does not say holds us up */
    if (ready[0] != CLOSED) {
        fcntl(ready[0], F_SETFL, O_NONBLOCK);
    }
    pid_t pid = fork();
    if (pid < 0) {
        err(TROUBLE, "fork");
    }
    if (pid == 0) {
        become(unit, output[1], ready[1]);
    }
    unit->main = unit->group = unit->speaker = pid;
    unit->how_many_others = 0;
    unit->output = output[0];
    unit->ready = ready[0];
    close(output[1]);
    if (ready[0] != CLOSED) {
        close(ready[1]);
    }
}

static bool is_known(const struct unit *unit, pid_t pid) {
    for (size_t i = 0; i < unit->how_many_others; i++) {
        if (unit->others[i] == pid) {
            return true;
        }
    }
    return pid == unit->main;
}

/* See proc(5); a process with threads has such a file for each. */
static void add_the_children_of(struct unit *unit, pid_t pid) {
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/children", (int)pid, (int)pid);
    FILE *file = fopen(path, "re");
    int child;
    while (file != NULL && fscanf(file, "%d", &child) == 1) {
        if (!is_known(unit, child) && unit->how_many_others < MOST_OTHERS) {
            unit->others[unit->how_many_others++] = child;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
}

/* Forgets those who are gone, and finds the children of the others, wherever they are. They have to
 * be found before their parents die: then they are our children, and nobody can tell whose they
 * were. */
static void find_the_others(struct unit *unit) {
    size_t left = 0;
    for (size_t i = 0; i < unit->how_many_others; i++) {
        if (kill(unit->others[i], 0) == 0) {
            unit->others[left++] = unit->others[i];
        }
    }
    unit->how_many_others = left;
    if (unit->main != NOBODY) {
        add_the_children_of(unit, unit->main);
    }
    for (size_t i = 0; i < unit->how_many_others; i++) { /* there may be more of them each time */
        add_the_children_of(unit, unit->others[i]);
    }
}

static bool signal_group(const struct unit *unit, int number) {
    return unit->group != NOBODY && kill(-unit->group, number) == 0;
}

static void signal_all(struct unit *unit, int number) {
    if (unit->file->kill_main_only) {
        if (unit->main != NOBODY) {
            kill(unit->main, number);
        }
        return;
    }
    find_the_others(unit);
    /* Just forked, it may not have a group of its own yet. */
    if (!signal_group(unit, number) && unit->main != NOBODY) {
        kill(unit->main, number);
    }
    for (size_t i = 0; i < unit->how_many_others; i++) {
        if (getpgid(unit->others[i]) != unit->group) {
            kill(unit->others[i], number);
        }
    }
}

static bool has_processes(struct unit *unit) {
    if (unit->file->kill_main_only || unit->main != NOBODY) {
        return unit->main != NOBODY;
    }
    find_the_others(unit);
    return signal_group(unit, 0) || unit->how_many_others > 0;
}

/* Jobs */

/* The job of a unit is over, and so are the commands that wait for it; who requires it fails with
 * it, unless it runs already. */
static void done(struct unit *unit, bool went_well) {
    unit->job = NO_JOB;
    answer(unit, START, went_well);
    for (struct unit *other = units; !went_well && other < units + how_many; other++) {
        if (other->job == START && is_down(other) && names(other->file->requires, unit)) {
            done(other, false);
        }
    }
}

static bool may_start_again(struct unit *unit) {
    if (unit->starts_since == 0 || now() - unit->starts_since >= unit->file->start_limit_interval) {
        unit->starts = 0;
        unit->starts_since = now();
    }
    return ++unit->starts <= unit->file->start_limit_burst;
}

static void fail(struct unit *unit, const char *result) {
    if (unit->result == NULL) {
        unit->result = result; /* the first trouble is the one that counts */
    }
}

static void start(struct unit *unit) {
    unit->result = NULL;
    unit->told_to_stop = false;
    if (!may_start_again(unit)) {
        fail(unit, "start-limit-hit");
        enter(unit, FAILED, INFINITY);
        done(unit, false);
        return;
    }
    spawn(unit);
    if (unit->file->type == SIMPLE) {
        enter(unit, ACTIVE, INFINITY);
        done(unit, true);
    } else {
        enter(unit, ACTIVATING, unit->file->timeout_start);
    }
}

static bool is_to_be_restarted(const struct unit *unit) {
    return !unit->told_to_stop && !is_shutting_down && unit->job != STOP &&
           (unit->file->restart == ALWAYS ||
            (unit->file->restart == ON_FAILURE && unit->result != NULL));
}

/* Nothing of it is left. */
static void has_ended(struct unit *unit) {
    bool was_starting = unit->job == START && !unit->told_to_stop;
    hear_it_out(unit);
    if (unit->ready != CLOSED) {
        close(unit->ready);
        unit->ready = CLOSED;
    }
    unit->group = NOBODY; /* the number may be somebody else's from now on */
    unit->how_many_others = 0;
    if (is_to_be_restarted(unit)) {
        enter(unit, AUTO_RESTART, unit->file->restart_sec);
    } else {
        enter(unit, unit->result == NULL ? INACTIVE : FAILED, INFINITY);
    }
    if (unit->job == RESTART) {
        unit->job = START;
    } else if (was_starting) {
        done(unit, unit->result == NULL);
    } else if (unit->job == STOP) {
        unit->job = NO_JOB;
    }
    answer(unit, STOP, true);
}

/* Asks everybody to leave; who does not listen is killed when the time is over. */
static void take_down(struct unit *unit) {
    if (has_processes(unit)) {
        enter(unit, DEACTIVATING, unit->file->timeout_stop);
        signal_all(unit, SIGTERM);
    } else {
        has_ended(unit);
    }
}

static void stop(struct unit *unit) {
    unit->told_to_stop = true;
    if (unit->state == AUTO_RESTART) {
        unit->result = NULL;
    }
    take_down(unit);
}

static bool may_start_now(const struct unit *unit) {
    for (struct unit *other = units; other < units + how_many; other++) {
        if (other != unit && other->job != NO_JOB && comes_after(unit, other)) {
            return false;
        }
    }
    return true;
}

static bool may_stop_now(const struct unit *unit) {
    for (struct unit *other = units; other < units + how_many; other++) {
        if (other != unit && (other->job == STOP || other->job == RESTART) &&
            comes_after(other, unit)) {
            return false;
        }
    }
    return true;
}

/* Whether it has made a step. */
static bool goes_on(struct unit *unit) {
    switch (unit->job) {
    case START:
        if ((is_down(unit) || unit->state == AUTO_RESTART) && may_start_now(unit)) {
            start(unit);
            return true;
        }
        return false;
    case STOP:
    case RESTART:
        if (unit->state != DEACTIVATING && may_stop_now(unit)) {
            stop(unit);
            return true;
        }
        return false;
    default:
        return false;
    }
}

static void settle(void) {
    struct unit *unit = units;
    while (unit < units + how_many) {
        unit = goes_on(unit) ? units : unit + 1; /* from the beginning: much may have changed */
    }
}

/* Wanted */

static void unmark(void) {
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        unit->is_marked = false;
    }
}

/* Marks the unit and all that it pulls in. Returns whether all are there that it requires. */
static bool mark_needed(struct unit *unit) {
    if (unit->is_marked) {
        return true;
    }
    unit->is_marked = true;
    for (char **name = unit->file->requires; *name != NULL; name++) {
        struct unit *other = called(*name);
        if (other == NULL) {
            warnx("%s: %s: no such unit", unit->file->name, *name);
            return false;
        }
        if (!mark_needed(other)) {
            return false;
        }
    }
    for (char **name = unit->file->wants; *name != NULL; name++) {
        struct unit *other = called(*name);
        if (other != NULL) {
            mark_needed(other);
        }
    }
    return true;
}

/* Marks the unit and all that require it. */
static void mark_dependents(struct unit *unit) {
    unit->is_marked = true;
    for (struct unit *other = units; other < units + how_many; other++) {
        if (!other->is_marked && names(other->file->requires, unit)) {
            mark_dependents(other);
        }
    }
}

static bool want_started(struct unit *unit) {
    unmark();
    if (is_shutting_down || !mark_needed(unit)) {
        return false;
    }
    for (struct unit *one = units; one < units + how_many; one++) {
        if (!one->is_marked) {
            continue;
        }
        if (one->job == STOP) {
            one->job = NO_JOB;
            answer(one, STOP, false);
        }
        if (one->state != ACTIVE && one->job == NO_JOB) {
            one->job = START;
        }
    }
    return true;
}

static void want_stopped(struct unit *unit, enum job job) {
    unmark();
    mark_dependents(unit);
    for (struct unit *one = units; one < units + how_many; one++) {
        if (one->is_marked && job == STOP && one->job == START) {
            done(one, false);
        }
        if (one->is_marked && !is_down(one)) {
            one->job = job;
        } else if (one == unit && job == RESTART) {
            one->job = START;
        }
    }
}

static void shut_down(void) {
    is_shutting_down = true;
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (unit->job != NO_JOB && unit->job != STOP) {
            done(unit, false);
        }
        unit->job = is_down(unit) ? NO_JOB : STOP;
    }
}

static void obey(char *line) {
    char *verb, *name, *text = checked(strdup(line));
    verb = strtok(line, " \t");
    name = verb != NULL ? strtok(NULL, " \t") : NULL;
    struct unit *unit = name != NULL ? called(name) : NULL;
    if (verb == NULL) {
        free(text);
        return;
    }
    bool went_well = name == NULL || unit != NULL;
    enum job wants = NO_JOB;
    if (!went_well) {
        warnx("%s: no such unit", name);
    } else if (strcmp(verb, "status") == 0) {
        for (struct unit *one = units; one < units + how_many; one++) {
            if (unit == NULL || one == unit) {
                tell(one);
            }
        }
    } else if (unit != NULL && strcmp(verb, "start") == 0) {
        went_well = want_started(unit);
        wants = went_well && unit->job != NO_JOB ? START : NO_JOB;
    } else if (unit != NULL && strcmp(verb, "stop") == 0) {
        want_stopped(unit, STOP);
        wants = unit->job != NO_JOB ? STOP : NO_JOB;
    } else if (unit != NULL && strcmp(verb, "restart") == 0 && !is_shutting_down) {
        want_stopped(unit, RESTART);
        wants = START;
    } else if (name == NULL && strcmp(verb, "shutdown") == 0) {
        shut_down();
    } else {
        warnx("not understood: %s", text);
        went_well = false;
    }
    if (wants == NO_JOB) {
        printf("%s: %s\n", went_well ? "ok" : "failed", text);
        free(text);
    } else {
        struct request *request = checked(malloc(sizeof *request));
        *request = (struct request){requests, text, unit, wants};
        requests = request;
    }
    settle();
}

/* What happens */

/* As service managers see it: who dies of one of these has done as it was told. */
static bool is_clean(int status) {
    if (WIFEXITED(status)) {
        return WEXITSTATUS(status) == 0;
    }
    int number = WTERMSIG(status);
    return number == SIGHUP || number == SIGINT || number == SIGTERM || number == SIGPIPE;
}

static void lost_its_main(struct unit *unit, int status) {
    unit->main = NOBODY;
    if (!is_clean(status)) {
        fail(unit, WIFEXITED(status) ? "exit-code" : "signal");
    }
    if (unit->state == DEACTIVATING) {
        return; /* it is seen to when all the dead are collected */
    }
    if (unit->state == ACTIVATING && unit->file->type == NOTIFY) {
        fail(unit, "protocol");
        take_down(unit);
    } else if (unit->state == ACTIVATING && unit->result == NULL && unit->file->remain_after_exit) {
        hear_it_out(unit);
        enter(unit, ACTIVE, INFINITY);
        done(unit, true);
    } else {
        take_down(unit);
    }
}

/* Whether it has said that it is ready. */
static void read_ready(struct unit *unit) {
    char text[64] = "";
    ssize_t length = read(unit->ready, text, sizeof text - 1);
    bool is_ready = length > 0 && strstr(text, "READY=1") != NULL;
    if (length == 0 || is_ready) {
        close(unit->ready);
        unit->ready = CLOSED;
    }
    if (is_ready && unit->state == ACTIVATING) {
        enter(unit, ACTIVE, INFINITY);
        done(unit, true);
    }
}

static void listen_to(struct unit *unit) {
    read_output(unit);
    if (unit->ready != CLOSED) {
        read_ready(unit);
    }
}

/* Collects everybody who is dead by now: one SIGCHLD can stand for several deaths, and not all of
 * them are services. What they have said before they died is heard first. */
static void collect_the_dead(void) {
    pid_t pid;
    int status;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        for (struct unit *unit = units; unit < units + how_many; unit++) {
            if (unit->main == pid) {
                listen_to(unit);
                lost_its_main(unit, status);
            }
        }
    }
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (unit->state == DEACTIVATING && !has_processes(unit)) {
            has_ended(unit);
        }
    }
}

static void time_is_over(struct unit *unit) {
    unit->deadline = INFINITY;
    switch (unit->state) {
    case AUTO_RESTART:
        want_started(unit);
        break;
    case ACTIVATING:
        fail(unit, "timeout");
        take_down(unit);
        break;
    case DEACTIVATING:
        fail(unit, "timeout");
        signal_all(unit, SIGKILL);
        break;
    default:
        break;
    }
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
        return false;
    }
    length = strlen(line);
    if (length == sizeof text - 1) {
        length = 0; /* a line without end */
    }
    memmove(text, line, length + 1);
    return true;
}

/* Sleeps until there is a line, or a word of a service, or somebody dies, or it is time for
 * something. Returns whether there is a line. */
static bool sleep_for_news(bool more_to_read, const sigset_t *while_asleep) {
    struct pollfd *places = checked(calloc(2 * how_many + 1, sizeof *places));
    nfds_t count = 0;
    double first = INFINITY;
    places[count++] = (struct pollfd){more_to_read ? STDIN_FILENO : -1, POLLIN, 0};
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        first = unit->deadline < first ? unit->deadline : first;
        places[count++] = (struct pollfd){unit->output, POLLIN, 0}; /* CLOSED ones are skipped */
        places[count++] = (struct pollfd){unit->ready, POLLIN, 0};
    }
    double left = first > now() ? first - now() : 0;
    struct timespec time = {0, 0};
    if (!isinf(left)) {
        time.tv_sec = (time_t)left;
        time.tv_nsec = (long)((left - (double)time.tv_sec) * 1e9);
    }
    int news = ppoll(places, count, isinf(left) ? NULL : &time, while_asleep);
    bool is_line = news > 0 && places[0].revents != 0;
    for (size_t i = 0; news > 0 && i < how_many; i++) {
        if (places[2 * i + 1].revents != 0 || places[2 * i + 2].revents != 0) {
            listen_to(&units[i]);
        }
    }
    free(places);
    return is_line;
}

static bool all_are_down(void) {
    for (size_t i = 0; i < how_many; i++) {
        if (!is_down(&units[i])) {
            return false;
        }
    }
    return true;
}

static void wake_up(int number) {
    if (number != SIGCHLD) {
        was_told_to_end = 1;
    }
}

int main(int argc, char *argv[]) {
    if (argc != 2) {
        errx(TROUBLE, "usage: supervisor FOLDER");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    struct sigaction action = {.sa_handler = wake_up};
    sigset_t ours, while_asleep;
    sigemptyset(&ours);
    int our_signals[] = {SIGCHLD, SIGTERM, SIGINT};
    for (size_t i = 0; i < 3; i++) {
        sigaddset(&ours, our_signals[i]);
        sigaction(our_signals[i], &action, NULL);
    }
    sigprocmask(SIG_BLOCK, &ours, &inherited);
    while_asleep = inherited;
    for (size_t i = 0; i < 3; i++) {
        sigdelset(&while_asleep, our_signals[i]);
    }

    struct unit_file *files = read_folder(argv[1], &how_many);
    units = checked(calloc(how_many + 1, sizeof *units));
    for (size_t i = 0; i < how_many; i++) {
        units[i].file = &files[i];
        units[i].output = units[i].ready = CLOSED;
        units[i].deadline = INFINITY;
    }
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (unit->file->at_boot) {
            want_started(unit);
        }
    }
    bool more_to_read = true;
    for (;;) {
        settle();
        if (is_shutting_down && all_are_down()) {
            return 0;
        }
        bool is_line = sleep_for_news(more_to_read, &while_asleep);
        collect_the_dead();
        for (struct unit *unit = units; unit < units + how_many; unit++) {
            if (unit->deadline <= now()) {
                time_is_over(unit);
            }
        }
        if (was_told_to_end && !is_shutting_down) {
            shut_down();
        }
        settle();
        if (is_line) {
            more_to_read = take_input();
        }
    }
}
