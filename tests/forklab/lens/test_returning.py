"""Which calls are known to return at once, so that nobody has to look whether somebody sleeps there."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

import pytest

from forklab.lens.calls import touching
from forklab.lens.world.chronicle import Member
from forklab.lens.world.tracees import Call, Tracee

AT_FDCWD = 0xFFFFFF9C  # -100, as an int
ME = Tracee(os.getpid(), Member("P", os.getpid(), 1000, None, 0))


def opening(path: str | Path) -> bool:
    """Of this very process, whose memory has the name."""
    name = ctypes.create_string_buffer(os.fsencode(path))
    call = Call("openat", (AT_FDCWD, ctypes.addressof(name), os.O_RDONLY, 0, 0, 0))
    return touching.returns_at_once(ME, call)


def test_a_file_a_folder_and_a_name_of_nothing_are_opened_at_once(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    assert opening(file) and opening(tmp_path) and opening(tmp_path / "nothing")


def test_whatever_else_may_wait_for_somebody(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    assert not opening(tmp_path / "fifo")
    assert not opening(tmp_path / "link")
    assert not opening("/dev/null")
    assert not opening(f"/proc/{os.getpid()}/fd/0")
    assert not opening("")


@pytest.mark.parametrize(
    ("request_", "expected"),
    [(0x5401, True), (0x540F, True), (0x5410, True), (0x5403, False), (0x1234, False)],
    ids=["TCGETS", "TIOCGPGRP", "TIOCSPGRP", "TCSETSW", "nobody knows"],
)
def test_a_terminal_answers_at_once_what_does_not_wait_for_its_output(
    request_: int, *, expected: bool
) -> None:
    call = Call("ioctl", (0, request_, 0, 0, 0, 0))
    assert touching.returns_at_once(ME, call) is expected


def test_any_other_call_may_wait() -> None:
    assert not touching.returns_at_once(ME, Call("read", (0, 0, 0, 0, 0, 0)))
