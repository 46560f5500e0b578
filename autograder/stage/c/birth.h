/* Freezes one of the two who come out of init's first fork, before it has run one instruction more.
 *
 * The setting "freeze init" or "freeze main" says which. What is frozen is stopped by SIGSTOP, as
 * anybody could do who is quick enough; to be quick enough we trace init until it has forked. A
 * vfork(2), and so a posix_spawn(3), is no such moment: init sleeps until its child has executed
 * something.
 */
#ifndef BIRTH_H
#define BIRTH_H

#include <sys/types.h>

/* Whether the settings ask for it. */
int birth_is_awaited(char *const *settings);

/* From now on we trace init, which must not have begun. -1 and errno if we may not. */
int await_birth(pid_t init, char *const *settings);

/* Takes note of what init's threads, traced by us, are stopped for, and lets them go on. Call it
 * for each SIGCHLD.
 */
void attend_birth(void);

/* What has come of it: "frozen", "awaited", or "none" if nobody waits for it any more. */
const char *birth_so_far(void);

/* Nobody is traced any more, and who is frozen stays so. Who does not come to a stop within a
 * second, as who sleeps in vfork(2), is let go as soon as it does.
 */
void forget_birth(void);

/* Init is dead, and has been reaped. */
void forget_init(void);

/* Lets main run, if it is frozen. */
void thaw_newborn(void);

#endif
