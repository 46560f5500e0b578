"""How a process is, is read from outside: what it would say of itself does not matter."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.stage import condition
from autograder.stage.condition import condition_of
from autograder.stage.watch import Watched
from forklab.kernel.processors import this_processor

_BODY = """
import ctypes, os, signal
ignored = (ctypes.c_ulong * 4)(signal.SIG_IGN)
for number in (32, 33):  # as GNU make hands them on; libc refuses to do it
    ctypes.CDLL(None).syscall(RT_SIGACTION, number, ignored, None, 8)
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1, signal.SIGRTMIN})
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.closerange(2, 9)  # what ctypes has opened, too
os.dup2(1, 7); os.dup2(1, 300)
os.write(1, b"!")
signal.pause()
"""


@pytest.fixture
def somebody() -> Iterator[Watched]:
    """Blocks and ignores signals, has descriptors open, leads a session, and does nothing any more."""
    body = _BODY.replace("RT_SIGACTION", str(this_processor().calls["rt_sigaction"]))
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", body], stdout=subprocess.PIPE, start_new_session=True
    )
    assert process.stdout is not None
    process.stdout.read(1)
    watched = Watched(process.pid)
    yield watched
    watched.close()
    process.kill()
    process.wait()
    process.stdout.close()


def test_masks_descriptors_and_ids_are_the_kernels(somebody: Watched) -> None:
    found = condition_of(somebody)
    assert found.blocked == {signal.SIGUSR1, signal.SIGRTMIN}
    assert signal.SIGTERM in found.ignored and signal.SIGHUP not in found.ignored
    assert not {32, 33} & found.ignored  # libc's own: no program can undo that
    assert found.descriptors == {0, 1, 7, 300}
    assert found.pid == found.group == found.session == somebody.pid
    assert found.parent == os.getpid()
    assert found.foreground is None


def test_descriptors_are_found_as_well_where_their_folder_cannot_be_read(
    somebody: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: object) -> list[str]:
        raise PermissionError(path)

    monkeypatch.setattr(condition.os, "listdir", refuse)
    assert condition_of(somebody).descriptors == {0, 1, 7, 300}


def test_one_that_is_gone_is_in_no_condition(somebody: Watched) -> None:
    os.kill(somebody.pid, signal.SIGKILL)
    os.waitid(os.P_PID, somebody.pid, os.WEXITED)
    assert not Path(f"/proc/{somebody.pid}").exists()
    with pytest.raises(OSError):
        condition_of(somebody)
