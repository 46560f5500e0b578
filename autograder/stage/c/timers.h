/* Reports the calls that set a timer which nobody sees from outside; see stage/timers.py. */
#ifndef TIMERS_H
#define TIMERS_H

/* From now on such a call of ours, connect(2) too if `connects`, exit_group(2) if `exits`, and of
 * all that we ever start, waits until who has the descriptor that this answers has let it go on; -1
 * where the kernel cannot. It is closed by execve(2). Once nobody has it any more, such calls fail
 * with ENOSYS. */
int report_calls(int connects, int exits);

/* Whether the kernel can, found out by trying. */
int can_report(void);

#endif
