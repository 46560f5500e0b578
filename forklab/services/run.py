"""`forklab services DIR`: a manager for the units of a folder, until it is told to leave.

As PID 1 of a namespace it adopts whatever is orphaned there; anywhere else it is a subreaper. SIGTERM, SIGINT and
SIGHUP are the orderly shutdown: everything is stopped, in the reverse of the order in which it was started, and nobody
comes back. A second one is for who cannot wait: all that is left is killed.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

from forklab.services.control import Control
from forklab.services.folder import Folders
from forklab.services.hands import Hands
from forklab.services.journal import Journal, Record
from forklab.services.keepers import make_room_for_descriptors
from forklab.services.loop import Rank
from forklab.services.manager import Leave, Manager
from forklab.services.place import JOURNAL, PlaceError, claimed

DEFAULT_TARGET: Final = "default.target"
_PR_SET_CHILD_SUBREAPER: Final = 36
_LEAVE: Final = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
_URGENT: Final = frozenset({signal.SIGTERM, signal.SIGINT})  # if they come again
_ONE_BREATH: Final = 0.5  # seconds: timeout(1) sends its signal twice
_PATIENCE: Final = 10.0  # seconds: a keeper kills after 5


def run(
    folders: Folders,
    runtime: Path,
    keeper: Path,
    units: list[str],
    *,
    journal: Path | None = None,
    heard: Callable[[Record], None] = lambda record: None,
) -> int:
    """Starts the units (default.target, if there is one and none are named) and serves until it has to leave.

    `heard` is told what happens, at once. Raises PlaceError if there is no place for the manager.
    """
    _check_proc()
    make_room_for_descriptors()
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with claimed(runtime, lambda words: heard(Record(time.time(), "", words))):
        try:
            if journal:  # whoever reads finds it all the same
                (runtime / JOURNAL).unlink(missing_ok=True)
                (runtime / JOURNAL).symlink_to(journal.absolute())
            kept = Journal(journal or runtime / JOURNAL)
        except OSError as error:
            raise PlaceError(f"The journal {error.filename}: {error.strerror}.") from None
        with closing(kept):
            _Rule(folders, runtime, keeper, kept, heard).rule(units)
    return 0


def _check_proc() -> None:
    """Keepers look there for the children of their children."""
    try:
        ours = os.readlink("/proc/self")
    except OSError:
        ours = ""
    if ours != str(os.getpid()):
        raise PlaceError("/proc is not that of this PID namespace: unshare(1) has --mount-proc.")


class _Rule:
    """A manager from its beginning to its end."""

    def __init__(
        self,
        folders: Folders,
        runtime: Path,
        keeper: Path,
        journal: Journal,
        heard: Callable[[Record], None],
    ) -> None:
        units, problems = folders.ours()
        self._hands = Hands(Manager.of(units), journal, runtime, keeper)
        self._hands.heard = heard
        self._hands.complain(problems)
        self._default = [DEFAULT_TARGET] * os.path.lexists(folders.paths[0] / DEFAULT_TARGET)
        self._control = Control(self._hands, folders, runtime)
        self._told_at = 0.0  # to leave
        self._is_hurried = False

    def rule(self, units: list[str]) -> None:
        self._listen_to_signals()
        wanted = units or self._default
        if not wanted:
            self._tell("Nothing is started yet: no unit was named, and there is no default.target.")
        for name in wanted:
            self._control.start(name)
        while not self._control.leaving:
            self._hands.loop.turn()
        self._hands.happens(Leave())
        if self._is_needed():
            self._tell("All are stopped in order. ^C once more: whoever is left is killed.")
        while self._is_needed() and not self._is_hurried:
            self._hands.loop.turn()
        self._hands.let_go(_PATIENCE, at_once=self._is_hurried)
        self._listen_no_more()

    def _is_needed(self) -> bool:
        return self._hands.is_behind or bool(self._hands.manager.tasks)

    def _tell(self, words: str) -> None:
        """Whoever is at the terminal; it is nothing for the journal."""
        self._hands.heard(Record(time.time(), "", words))

    def _listen_to_signals(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)

        def hear() -> None:
            came = set(ours.recv(1 << 12))
            now = time.monotonic()
            if _LEAVE & came and not self._control.leaving:
                self._control.leaving, self._told_at = True, now
            elif _URGENT & came and now - self._told_at > _ONE_BREATH:
                self._is_hurried = True
            self._hands.collect()

        for number in (*_LEAVE, signal.SIGCHLD):
            if signal.getsignal(number) is not signal.SIG_IGN or number == signal.SIGCHLD:
                signal.signal(number, lambda number, frame: None)
        signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
        self._hands.loop.listen(ours, Rank.SIGNAL, hear)
        self._news = (ours, theirs)

    def _listen_no_more(self) -> None:
        """A signal that comes now is too late: all is done."""
        for number in _LEAVE:
            signal.signal(number, signal.SIG_IGN)
        signal.set_wakeup_fd(-1)
        for each in self._news:
            each.close()
