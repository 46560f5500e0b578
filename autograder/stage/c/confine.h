/* Takes from a process, and from all that it will ever start, what no submission needs.
 *
 * Landlock, landlock(7), hides files where there is no mount namespace to do so; its rules are
 * "ro:FOLDER", and others to write to. Who drops or hides answers less than 0 if that fails. System
 * calls are forbidden in filter.c.
 */
#ifndef CONFINE_H
#define CONFINE_H

#include <sys/resource.h>

/* What each process of a play may use; `file_size` is the most that one file may have in bytes,
 * `processes` how many its user may have (which does not bind root), `seconds` what each may take
 * of a processor. */
void set_limits(rlim_t file_size, rlim_t processes, rlim_t seconds);

/* The namespaces were opened with capabilities; nobody in the play may keep one. See
 * capabilities(7). */
int drop_capabilities(void);

/* The version of Landlock's interface; 0 where the kernel has none. */
int landlock_version(void);

/* Lets our own signals reach nobody but those whom we start from now on; answers whether that
 * holds. Others can signal us as before. */
int fence_signals_in(void);

/* Leaves nothing of the file system to be opened but the system's programs and `rules`, a list that
 * ends with NULL, and of all terminals `terminal`, or NULL. Lets signals reach only those who are
 * confined in the same way. */
int hide_files(char *const *rules, const char *terminal);

#endif
