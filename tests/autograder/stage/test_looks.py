"""Two looks prove that everybody slept at one moment."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from autograder.stage.looks import look_twice
from autograder.stage.watch import Watched

# An init that has somebody to reap, and never sleeps.
_BUSY = """
import os
child = os.fork()
if child == 0:
    os.read(0, 1)
    os._exit(0)
print(child, flush=True)
while True:
    pass
"""


@contextmanager
def _busy_init() -> Iterator[tuple[Watched, Watched, subprocess.Popen[str]]]:
    """It and its child, which ends at the end of its input."""
    with subprocess.Popen(
        [sys.executable, "-c", _BUSY], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as busy:
        assert busy.stdout
        try:
            init, child = Watched(busy.pid), Watched(int(busy.stdout.readline()))
            yield init, child, busy
            init.close()
            child.close()
        finally:
            busy.kill()


def _sooner_or_later(happens: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 60
    while not happens():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.001)
    return True


def test_an_init_above_the_subject_may_run_while_it_has_nobody_to_reap() -> None:
    with _busy_init() as (init, child, _):
        assert _sooner_or_later(lambda: look_twice([child], [], lambda: True, init) is not None)
        assert look_twice([init, child], [], lambda: True) is None


def test_nobody_is_a_zombie_for_good_whose_parent_still_runs() -> None:
    with _busy_init() as (init, child, busy):
        assert busy.stdin
        busy.stdin.close()
        assert _sooner_or_later(lambda: (stat := child.stat()) is not None and stat.state == "Z")
        assert look_twice([child], [], lambda: True, init) is None
