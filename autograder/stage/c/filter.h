/* Forbids system calls to a process, and to all that it will ever start, by seccomp(2).
 *
 * Whatever is forbidden fails, and whoever tried may go on: nobody dies of asking.
 */
#ifndef FILTER_H
#define FILTER_H

enum {
    AMONG_OTHERS = 1 << 0, /* no namespaces: other people's sockets are there to be reached */
    NOT_FENCED = 1 << 1,   /* and signals to all reach other processes */
    NO_ACTORS = 1 << 2,    /* and nobody has a reason to connect to anybody */
};

/* Whether system calls can be forbidden here. */
int can_filter(void);

/* Forbids what a play in such a place has no use for. Answers less than 0 if that fails. Who of a
 * play with actors may connect is another filter's matter, see timers.h. */
int filter_calls(int place);

/* Has the calls that a file tells reported to whoever traces us. The file is such a filter itself,
 * see linux/filter.h. Before filter_calls, which forbids it. Answers less than 0 if that fails, or
 * if nobody traces us. */
int report_to_tracer(const char *file);

#endif
