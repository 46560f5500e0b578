/* An exit handler for init, which is told of by nobody else: loaded into it with LD_PRELOAD.
 *
 * It says so on standard error if it runs in a process that init has forked and that has not
 * executed anything: what was registered for init's own end, and output that waits in a buffer, is
 * done twice there. Those who were executed since, as init's command, it leaves alone.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char name[] = "FORKLAB_INIT"; /* whose program was loaded first */
static pid_t init; /* who has loaded this one, if it is that process; else 0 */

__attribute__((constructor)) static void begin(void) {
    const char *first = getenv(name);
    char own[32];
    snprintf(own, sizeof own, "%d", getpid());
    if (first == NULL)
        setenv(name, own, 1);
    if (first == NULL || strcmp(first, own) == 0)
        init = getpid();
}

__attribute__((destructor)) static void tell(void) {
    static const char words[] = "an exit handler of init has run in its child\n"; /* see play.py */
    if (init != 0 && getpid() != init && write(STDERR_FILENO, words, sizeof words - 1) < 0) {
        /* Nobody hears it then. */
    }
}
