"""Functions of libc by which processes meet in memory that they share, without a system call: sem_overview(7)."""

from __future__ import annotations

SEM_OPEN = "sem_open"
SEM_INIT = "sem_init"
SEM_GETVALUE = "sem_getvalue"
# They take one off a semaphore, or wait until they can; the place of the argument with the limit, None for ever.
SEM_WAITS = {"sem_wait": None, "sem_timedwait": 1, "sem_clockwait": 2}
AT_SEMAPHORES = frozenset({*SEM_WAITS, "sem_trywait", "sem_post", SEM_GETVALUE})
SEM_FUNCTIONS = AT_SEMAPHORES | {SEM_OPEN, SEM_INIT}
