/* See line.h. By a call that no kernel has, and that our tracer answers: the play is in virtual
 * time, and nobody else can get between us. See forklab/lens/calls/cueing.py. */
#define _GNU_SOURCE
#include <unistd.h>

#include "cue.h"
#include "line.h"

const int line_tells_of_signals = 0;

void line_open(void) {
}

void line_tell(const char *message, size_t length) {
    syscall(CUE, CUE_TELL, message, length);
}

ssize_t line_listen(char *command, size_t size) {
    return syscall(CUE, CUE_LISTEN, command, size);
}

/* One call for both: each is a stop for our tracer. */
ssize_t line_answer(const char *message, size_t length, char *command, size_t size) {
    if (length == 0)
        return line_listen(command, size);
    return syscall(CUE, CUE_ANSWER, message, length, command, size);
}

int line_descriptor(void) {
    return -1;
}
