/* Starts init as a shell starts a job: in a session that somebody else leads, with a terminal.
 *
 * The setting "job foreground" or "job background" says whose the terminal is then: init's, or that
 * of the session's leader.
 */
#ifndef JOB_H
#define JOB_H

#include <sys/types.h>

int is_job(char *const *settings);

/* As clone(2) with these flags and a child of our own, which is in a session with the terminal; its
 * leader, another child of ours, sleeps until it is killed. */
pid_t clone_into_session(unsigned long flags, int terminal);

/* The child becomes the job. -1 and errno if it cannot. */
int become_job(char *const *settings);

#endif
