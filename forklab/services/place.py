"""Where a manager is found: a folder that is its own as long as it lives, with its sockets and its journal.

That is `forklab` below XDG_RUNTIME_DIR, which a session of systemd's or of a desktop's has; anywhere else a folder of
the user's below /tmp. FORKLAB_RUNTIME names another one, for `forklab services` and for `ctl`.
"""

from __future__ import annotations

import fcntl
import os
import socket
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

VARIABLE: Final = "FORKLAB_RUNTIME"
CONTROL: Final = "control"
JOURNAL: Final = "journal"
_LOCK: Final = "lock"
_PATIENCE: Final = 10.0  # seconds: keepers kill after 5
_PAUSE: Final = 0.05
_LONGEST_PATH: Final = 107  # of a socket, in bytes: unix(7)
_LONGEST_NAME: Final = len("/notify.9999999999")


class PlaceError(Exception):
    """The folder cannot be had. The message says why, and the mend."""


def usual_place() -> Path:
    if named := os.environ.get(VARIABLE):
        return Path(named)
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        return Path(runtime) / "forklab"
    return Path("/tmp") / f"forklab-services-{os.getuid()}"


@contextmanager
def claimed(place: Path, say: Callable[[str], None] = lambda words: None) -> Iterator[None]:
    """The folder is ours alone meanwhile, and what was made in it is gone afterwards. Raises PlaceError.

    Keepers hold it, too, as they inherit the lock: whoever comes after a manager that was killed waits, and is told so,
    until the services of that one have ended.
    """
    if len(os.fsencode(place.absolute())) + _LONGEST_NAME > _LONGEST_PATH:
        raise PlaceError(f"{place} is too long for sockets in it: choose a shorter --runtime.")
    try:
        lock, made = _locked(place, say)
    except OSError as error:
        raise PlaceError(f"{place} cannot be used: {error.strerror}.") from None
    try:
        yield
    finally:
        for name in ("notify.*", f"{JOURNAL}*", f"{CONTROL}*"):
            for path in place.glob(name):
                path.unlink(missing_ok=True)
        (place / _LOCK).unlink(missing_ok=True)
        os.close(lock)
        if made and not any(place.iterdir()):
            place.rmdir()


def _check(place: Path) -> None:
    """Somebody else who may write there could speak for our services."""
    about = place.lstat()
    if not stat.S_ISDIR(about.st_mode) or about.st_uid != os.geteuid() or about.st_mode & 0o022:
        raise PlaceError(f"{place} is not a folder that only you can write to: choose a --runtime.")


def _locked(place: Path, say: Callable[[str], None]) -> tuple[int, bool]:
    """The lock, and whether we made the folder. The lock goes with those who hold it, however they end: flock(2)."""
    until = 0.0
    made = False
    while True:  # its last holder may remove it at any time
        made = made or not os.path.lexists(place)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check(place)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            lock = os.open(place / _LOCK, flags, 0o600)
        except FileNotFoundError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            if _is_served(place) or (until and time.monotonic() > until):
                raise PlaceError(
                    f"A manager has {place} already: stop that one, or choose another --runtime."
                ) from None
            if not until:
                say("The manager before was killed: its services are given time to end.")
                until = time.monotonic() + _PATIENCE
            time.sleep(_PAUSE)
            continue
        if os.fstat(lock).st_nlink:
            os.set_inheritable(lock, True)
            return lock, made
        os.close(lock)


def _is_served(place: Path) -> bool:
    """Whether there is a manager, and not only what one has left."""
    with socket.socket(socket.AF_UNIX) as channel:
        channel.setblocking(False)
        try:
            channel.connect(str(place / CONTROL))
        except (FileNotFoundError, ConnectionRefusedError):
            return False
        except OSError:
            pass  # others stand in line
        return True
