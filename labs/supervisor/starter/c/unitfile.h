/* Reads unit files. This part is given: what is left for you are processes.
 *
 * Lists of words (a command, names of units) have NULL behind the last word. Times are in seconds,
 * and INFINITY (math.h) for "never".
 */
#ifndef UNITFILE_H
#define UNITFILE_H

#include <stdbool.h>
#include <stddef.h>

enum { MOST_WORDS = 16 };

typedef char *words[MOST_WORDS];

struct unit_file {
    char *name; /* web, of web.service */
    words
        requires,
    wants, after, before;
    bool at_boot; /* WantedBy= says something */
    enum { SIMPLE, ONESHOT, NOTIFY } type;
    words command; /* ExecStart= */
    bool remain_after_exit;
    enum { NEVER, ON_FAILURE, ALWAYS } restart;
    double restart_sec;
    double timeout_start, timeout_stop;
    int start_limit_burst;       /* so many starts ... */
    double start_limit_interval; /* ... in so many seconds; and no further one */
    bool kill_main_only;         /* KillMode=process */
};

/* All NAME.service of a folder, by name. What is wrong with one is told, and it is left out. Ends
 * the program if there is no such folder. */
struct unit_file *read_folder(const char *folder, size_t *how_many);

#endif
