"""Which signals wait for a process, asked while signals come for those who ask."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from forklab.lens.edge import ptrace

MANY = 40  # more than one question to the kernel tells
# All of one number wait, since it is a real-time signal.
WAITS = f"""\
#include <signal.h>
#include <unistd.h>

int main(void) {{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    kill(getpid(), SIGUSR1);
    for (int i = 0; i < {MANY}; i++) sigqueue(getpid(), SIGRTMIN, (union sigval){{.sival_int = i}});
    close(1);
    for (;;) pause();
}}
"""


@contextmanager
def disturbed() -> Iterator[None]:
    """By a timer that rings all the time."""
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_all_that_wait_are_told_each_time(compiled: Callable[[str], str]) -> None:
    with subprocess.Popen([compiled(WAITS)], stdout=subprocess.PIPE) as program:
        try:
            assert program.stdout is not None
            program.stdout.read()  # to its end: all have been sent
            ptrace.seize(program.pid)
            ptrace.interrupt(program.pid)
            ptrace.next_report(program.pid)
            until = time.monotonic() + 1
            with disturbed():
                while time.monotonic() < until:
                    told = [info.number for info in ptrace.pending_signals(program.pid)]
                    assert told == [signal.SIGUSR1, *[signal.SIGRTMIN] * MANY]
        finally:
            program.kill()
