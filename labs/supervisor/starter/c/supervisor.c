/* Your init of chapter 1, which has read unit files: it starts services, and collects the dead.
 *
 *     ./supervisor FOLDER
 *
 * Unit files are read by unitfile.c, which is given, and so is what splits the lines that are
 * typed. The handout (README.md) says what is asked, and `make check LAB=supervisor SUBMISSION=...`
 * how far you are.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unitfile.h"

enum { TROUBLE = 1, NOT_FOUND = 127, LONGEST_LINE = 4096, NOBODY = 0 };

struct unit {
    struct unit_file *file;
    const char *state;
    pid_t main; /* or NOBODY */
};

static struct unit *units;
static size_t how_many;

/* Each time that a unit gets into another state, and for `status`. */
static void tell(const struct unit *unit) {
    printf("%s: %s\n", unit->file->name, unit->state);
}

static struct unit *called(const char *name) {
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (strcmp(unit->file->name, name) == 0) {
            return unit;
        }
    }
    return NULL;
}

static void start(struct unit *unit) {
    /* Stages a and b: is it the turn of this one? Who comes before it, whom does it need, and what
     * if that one fails? It may have to wait, so this cannot be one function that runs through:
     * what is wanted of a unit, and what is so, are two things. */
    pid_t pid = fork();
    if (pid < 0) {
        err(TROUBLE, "fork");
    }
    if (pid == 0) {
        /* Stage a: a session of its own, an input of its own. Stage e: NOTIFY_FD. Stage f: a pipe
         * to write to. And whom does it get open descriptors from? */
        execvp(unit->file->command[0], unit->file->command);
        warn("%s", unit->file->command[0]);
        _exit(NOT_FOUND); /* there must not be a second manager */
    }
    unit->main = pid;
    unit->state = "active"; /* stage e: is it? */
    tell(unit);
}

/* Returns whether it can be done; whether it *has been* done is another question, which may take 90
 * seconds to be answered. */
static int obey(const char *verb, const char *name) {
    struct unit *unit = name != NULL ? called(name) : NULL;
    if (unit == NULL) {
        warnx("%s: no such unit", name != NULL ? name : verb);
        return 0;
    }
    if (strcmp(verb, "start") == 0) {
        start(unit);
        return 1;
    }
    if (strcmp(verb, "status") == 0) {
        tell(unit);
        return 1;
    }
    /* Stages b and d: stop, restart. Stage g: shutdown, which has no name behind it. */
    warnx("%s: not understood", verb);
    return 0;
}

/* Stage c: who has ended, and how? waitpid(2) tells both. Does it start again, and when? */
static void collect_the_dead(void) {
    pid_t pid;
    while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
        for (struct unit *unit = units; unit < units + how_many; unit++) {
            if (unit->main == pid) {
                unit->main = NOBODY;
                unit->state = "inactive";
                tell(unit);
            }
        }
    }
}

int main(int argc, char *argv[]) {
    if (argc != 2) {
        errx(TROUBLE, "usage: supervisor FOLDER");
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* each line is written as soon as it is complete */
    struct unit_file *files = read_folder(argv[1], &how_many);
    units = calloc(how_many + 1, sizeof *units);
    for (size_t i = 0; units != NULL && i < how_many; i++) {
        units[i] = (struct unit){.file = &files[i], .state = "inactive"};
    }
    for (struct unit *unit = units; unit < units + how_many; unit++) {
        if (unit->file->at_boot) {
            start(unit);
        }
    }
    /* You wait for a line here, and do not notice who dies meanwhile. What has to be waited for all
     * at once: lines, deaths, times, what services say. ppoll(2), and fgets() reads more than it
     * hands out. */
    char line[LONGEST_LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        collect_the_dead();
        line[strcspn(line, "\n")] = '\0';
        char *text = strdup(line);
        char *verb = strtok(line, " ");
        char *name = verb != NULL ? strtok(NULL, " ") : NULL;
        if (text != NULL && verb != NULL) {
            printf("%s: %s\n", obey(verb, name) ? "ok" : "failed", text);
        }
        free(text);
    }
    /* Stage g: the end of the input is not the end. */
    for (;;) {
        if (waitpid(-1, NULL, 0) < 0) {
            pause();
        }
    }
}
