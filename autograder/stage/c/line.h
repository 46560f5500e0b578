/* The line from an actor to the judge: a socket (line_socket.c), or a call that our tracer answers
 * (line_cue.c). */
#ifndef LINE_H
#define LINE_H

#include <stddef.h>
#include <sys/types.h>

/* Whether the judge cannot see by itself which signals an actor catches. */
extern const int line_tells_of_signals;

/* A line of our own: at the start, and for whoever we have forked, in place of ours. */
void line_open(void);

/* Says something. Async-signal-safe, see signal-safety(7). */
void line_tell(const char *message, size_t length);

/* Waits for the next command; answers how long it is, 0 or less if there will be none, or EINTR. */
ssize_t line_listen(char *command, size_t size);

/* Says something, unless it is empty, and then waits for the next command. */
ssize_t line_answer(const char *message, size_t length, char *command, size_t size);

/* The descriptor that it takes; -1: none. */
int line_descriptor(void);

#endif
