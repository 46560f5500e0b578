"""What the kernel says of one process, and what it says of us."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from autograder.stage.activity import Posture, activity_of
from autograder.stage.errors import StageError
from autograder.stage.watch import Watched, pidfds_tell_of_reaping


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "3600"])
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("shortage", [errno.EMFILE, errno.ENFILE, errno.ENOMEM])
def test_who_is_short_of_descriptors_does_not_take_the_living_for_dead(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, shortage: int
) -> None:
    process = Watched(sleeper.pid)

    def no_more(*_: object) -> int:
        raise OSError(shortage, os.strerror(shortage))

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", no_more)
        for ask in (process.run_times, process.pending, process.children, process.system_calls):
            with pytest.raises(StageError):
                ask()
        with pytest.raises(StageError):
            Watched(sleeper.pid)
    assert not process.reaped()
    process.close()


def test_whether_somebody_was_reaped_is_known_without_a_look_at_proc(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not pidfds_tell_of_reaping():
        pytest.skip("this kernel does not tell it: Linux 6.9 and later do")
    process = Watched(sleeper.pid)
    monkeypatch.setattr(process, "_read", None)
    assert not process.reaped()
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)
    assert not process.reaped()  # a zombie holds its pid
    sleeper.wait()
    assert process.reaped()
    process.close()


@pytest.mark.parametrize(("shown", "told"), [(True, 0), (False, None)])
def test_how_a_zombie_ended_is_not_known_where_the_kernel_hides_it(
    shown: bool, told: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says 0 then, as of one that has exited with 0."""
    child = subprocess.Popen(["true"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    zombie = Watched(child.pid)

    def hides(path: str) -> str:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    if not shown:
        monkeypatch.setattr(os, "readlink", hides)
    assert zombie.wait_status() == told
    child.wait()
    zombie.close()


@pytest.mark.parametrize("pidfds_tell", [True, False])
def test_who_is_gone_is_gone_in_every_way(
    pidfds_tell: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not pidfds_tell:  # as before Linux 6.9
        monkeypatch.setattr("autograder.stage.watch.pidfds_tell_of_reaping", lambda: False)
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    process = Watched(child.pid)
    child.communicate(b"\n", timeout=60)
    assert process.reaped()
    assert (process.children(), process.run_times(), process.pending()) == ([], b"", frozenset())
    assert activity_of(process).posture is Posture.ASLEEP
    process.close()
    with pytest.raises(ProcessLookupError):
        Watched(child.pid)


def test_how_long_somebody_sleeps_is_read_from_its_memory(
    sleeper: subprocess.Popen[bytes],
) -> None:
    process = Watched(sleeper.pid)
    while (now := activity_of(process)).posture is not Posture.TIMED:
        assert sleeper.poll() is None
    assert now.limit is not None
    assert 3600 <= now.limit < 3601  # from coreutils 9.7 on, sleep(1) adds a nanosecond
    process.close()
