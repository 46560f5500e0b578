"""For whom a wait is, and whether it has to wait: held against the real wait4(2) and waitid(2)."""

from __future__ import annotations

import os
import signal
from itertools import product

import pytest

from forklab.kernel.waits import (
    P_ALL,
    P_PGID,
    P_PID,
    WCONTINUED,
    WEXITED,
    WNOHANG,
    WSTOPPED,
    WaitFor,
    returns_at_once,
    wait_for,
)


@pytest.mark.parametrize(
    ("which", "kind", "identity"), [(-1, P_ALL, 0), (7, P_PID, 7), (0, P_PGID, 0), (-7, P_PGID, 7)]
)
def test_wait4_is_for_whom_its_argument_says(which: int, kind: int, identity: int) -> None:
    """See waitpid(2): the values of pid."""
    register = which & (1 << 64) - 1
    assert wait_for("wait4", (register, 0, WNOHANG, 0)) == (kind, identity, WNOHANG | WEXITED)


def test_waitid_says_it_by_itself() -> None:
    assert wait_for("waitid", (P_PID, 7, 0, WSTOPPED, 0)) == WaitFor(P_PID, 7, WSTOPPED)


def test_without_a_child_a_wait_fails_at_once() -> None:
    assert returns_at_once(WEXITED, [])


def news_of_a_real_child(what: str) -> tuple[int, int]:
    """A child of ours, and what it has to tell."""
    child = os.fork()
    if child == 0:
        signal.pause()
        os._exit(0)
    if what == "ended":
        os.kill(child, signal.SIGKILL)
        os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        return child, WEXITED
    if what in ("stopped", "continued"):
        os.kill(child, signal.SIGSTOP)
        os.waitid(os.P_PID, child, os.WSTOPPED | (os.WNOWAIT if what == "stopped" else 0))
        if what == "stopped":
            return child, WSTOPPED
        os.kill(child, signal.SIGCONT)
        os.waitid(os.P_PID, child, os.WCONTINUED | os.WNOWAIT)
        return child, WCONTINUED
    return child, 0


def has_an_answer(child: int, options: int) -> bool:
    try:
        return os.waitid(os.P_PID, child, options | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True


@pytest.mark.parametrize("what", ["ended", "stopped", "continued", "runs"])
def test_the_kernel_agrees_on_what_ends_a_wait(what: str) -> None:
    """Asked with WNOHANG and WNOWAIT: whether there is an answer now."""
    child, news = news_of_a_real_child(what)
    try:
        for asked in product((0, WEXITED), (0, WSTOPPED), (0, WCONTINUED)):
            options = sum(asked)
            if options:
                assert returns_at_once(options, [news]) == has_an_answer(child, options), options
        assert returns_at_once(WEXITED | WNOHANG, [news])
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
