"""A copy of this process in the place of a new Python."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from forklab.lens.edge.copies import Copy

# pytest may have a thread of its own, which does not matter here.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def say(text: str) -> None:
    os.write(2, text.encode())


def copy_of(work: Callable[[], object], *keeps: int) -> Copy:
    return Copy(work, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, keeps=keeps)


def test_it_has_no_descriptor_of_ours_but_those_that_it_keeps() -> None:
    """Else the end of a pipe that nobody else may have would stay open in it: another one's lifeline."""
    kept, other = os.pipe()
    copy = copy_of(lambda: say(" ".join(os.listdir("/proc/self/fd"))), kept)
    numbers = set(map(int, copy.communicate()[1].split()))
    assert copy.returncode == 0
    os.close(kept)
    os.close(other)
    assert {0, 1, 2, kept} <= numbers and len(numbers) == 5  # and that of the folder itself


def test_its_standard_files_are_dev_null_and_a_pipe_and_its_session_is_its_own() -> None:
    files = "/proc/self/fd/0", "/proc/self/fd/1"
    copy = copy_of(lambda: say(f"{' '.join(map(os.readlink, files))} {os.getsid(0)}"))
    assert copy.communicate()[1].decode() == f"/dev/null /dev/null {copy.pid}"


def test_it_ends_with_words_when_its_work_fails() -> None:
    copy = copy_of(lambda: (say("so far"), 1 / 0))
    said = copy.communicate()[1].decode()
    assert said.startswith("so far") and "ZeroDivisionError" in said
    assert copy.returncode == 1


def test_one_can_wait_for_it_for_a_limited_time() -> None:
    copy = copy_of(lambda: time.sleep(1000))
    with pytest.raises(TimeoutError):
        copy.wait(0.01)
    copy.kill()
    assert copy.wait(10) == -signal.SIGKILL
    copy.kill()  # nobody
    copy.communicate()
