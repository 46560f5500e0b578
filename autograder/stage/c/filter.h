/* Forbids system calls to a process, and to all that it will ever start, by seccomp(2). */
#ifndef FILTER_H
#define FILTER_H

/* Whether system calls can be forbidden here. */
int can_filter(void);

/* Whatever is forbidden fails, and whoever tried may go on: nobody dies of asking. Answers less
 * than 0 if that fails. */
int filter_calls(void);

#endif
