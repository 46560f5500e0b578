/* Reads job files. This part is given: what is left for you are processes and events.
 *
 * A condition (start_on, stop_on) is a tree: a MATCH is one event that it waits for, BOTH and
 * EITHER have two conditions below them. `came` is for you: nothing here looks at it.
 */
#ifndef JOBFILES_H
#define JOBFILES_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_WORDS = 16 };

/* An event's variables, each "KEY=VALUE", in the order of their places, and NULL behind the last.
 */
typedef char *variables[MOST_WORDS];

struct condition {
    enum { MATCH, BOTH, EITHER } kind;
    struct condition *left, *right; /* of BOTH and EITHER */
    char *event;                    /* of MATCH: the event's name ... */
    variables values;               /* ... and "KEY=PATTERN", or "PATTERN" for the same place */
    void *came;
};

struct job_file {
    char *name;
    struct condition *start_on; /* NULL: it starts only when it is told to */
    struct condition *stop_on;
    bool respawn;
    int limit;       /* so many respawns ... */
    double interval; /* ... in so many seconds are too many if there comes one more */
    enum { NOTHING, FORK, DAEMON } expect;
    double kill_timeout;         /* seconds */
    char *pre_start[MOST_WORDS]; /* words, and NULL behind the last; only NULL if there are none */
    char *command[MOST_WORDS];
};

/* All NAME.conf of a folder, by name. What is wrong with one is told, and it is left out. Ends the
 * program if there is no such folder. */
struct job_file *read_folder(const char *folder, size_t *how_many);

/* Whether this event is the one that a MATCH waits for: `started db`, `deploy COLOR=green`,
 * `runlevel [06]`. A value without a name is compared with the variable at the same place. */
bool fits(const struct condition *match, const char *event, char **variables);

#endif
