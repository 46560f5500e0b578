"""`forklab services DIR`: a manager for the units of a folder, until it is told to leave.

As PID 1 of a namespace it adopts whatever is orphaned there; anywhere else it is a subreaper. SIGTERM and SIGINT are
the orderly shutdown: everything is stopped, in the reverse of the order in which it was started.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
from pathlib import Path
from typing import Final

from forklab.services.control import Control
from forklab.services.folder import Folders
from forklab.services.graph import Job, Kind
from forklab.services.hands import Hands
from forklab.services.journal import Journal
from forklab.services.manager import Manager, Request

DEFAULT_TARGET: Final = "default.target"
_PR_SET_CHILD_SUBREAPER: Final = 36
_SHUTDOWN: Final = 0  # the number of its requests: nobody waits for one


def run(folders: Folders, runtime: Path, keeper: Path, units: list[str]) -> int:
    """Starts the units (default.target, if there is one and none are named) and serves until it has to leave."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    runtime.mkdir(mode=0o700, parents=True, exist_ok=True)
    journal = Journal(runtime / "journal")
    known, problems = folders.everything()
    hands = Hands(Manager.of(known), journal, runtime, keeper)
    for problem in problems:
        hands.say("", str(problem), 4)
    control = Control(hands, folders, runtime)
    news = _listen_to_signals(hands, control)
    wanted = units or [DEFAULT_TARGET] * (DEFAULT_TARGET in known)
    for name in wanted:
        control.start(name)
    while not control.leaving:
        hands.tend()
    _shut_down(hands)
    news.close()
    hands.close()
    journal.close()
    return 0


def _listen_to_signals(hands: Hands, control: Control) -> socket.socket:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.setblocking(False)

    def hear() -> None:
        numbers = set(ours.recv(1 << 12))
        if numbers & {signal.SIGTERM, signal.SIGINT}:
            control.leaving = True
        _collect(hands)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, lambda number, frame: None)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    hands.listen(ours, 4, hear)
    theirs.detach()
    return ours


def _collect(hands: Hands) -> None:
    """Reaps orphans that came to us. Keepers are waited for by those who have them."""
    mine = hands.keepers()
    while True:
        try:
            dead = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if dead is None or dead.si_pid in mine:
            return
        os.waitpid(dead.si_pid, 0)


def _shut_down(hands: Hands) -> None:
    """Stops all units: `leaving`, so that nobody comes back meanwhile."""
    hands.manager = hands.manager.about_to_leave()
    for name, each in list(hands.manager.lives.items()):
        if each.active not in ("inactive", "failed"):
            hands.happens(Request(_SHUTDOWN, Job(name, Kind.STOP)))
    while hands.manager.tasks:
        hands.tend()
