"""Where a submission runs: as PID 1 of a namespace of its own where that is possible, as a subreaper where not.

One sandbox a submission, made by bubblewrap (mode pidns): a private view of the system, read-only, without network.
In it waits our launcher, which opens a PID namespace of its own for each play. That costs a fifth of a new sandbox.
Where user namespaces are refused (Docker's default, hardened systems) the launcher runs without bubblewrap, as a
subreaper above the init, which is a subreaper too (mode subreaper): it cannot be PID 1 there, and what hides files from
it is Landlock, where the kernel has it.
"""

from __future__ import annotations

import array
import os
import socket
import struct
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from autograder.language.roles import PIDNS
from autograder.stage.compiled import compiled
from autograder.stage.confinement import (
    GIVEN,
    STAGE,
    SUBMISSION,
    bubblewrap,
    foreign_prefixes,
    search_path,
)
from autograder.stage.errors import EXCESSES, StageError, UnableError
from autograder.stage.tools import put_program
from autograder.stage.users import private_user
from autograder.stage.workspace import remove
from forklab.lens.edge import proc

_ANSWER_SECONDS, _END_SECONDS = 30.0, 5.0
_LANDLOCK_WITH_SCOPES = 6
_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid
_ONE_DESCRIPTOR = struct.Struct("i")


@dataclass(frozen=True)
class Means:
    """The version of Landlock, 0: none; whether system calls can be forbidden; whether the launcher is fenced in.

    Its signals reach nobody but the play then: it tries that where the submission has no user of its own. `asks`:
    connect(2) can be made to wait for us.
    """

    landlock: int
    filters: bool
    fenced: bool
    asks: bool

    @property
    def scopes(self) -> bool:
        """Whether signals and abstract sockets can be kept to those who are confined together: Linux 6.12."""
        return self.landlock >= _LANDLOCK_WITH_SCOPES


class Sandbox:
    """The place of one submission: `folder` holds the submission, `stage` the actor and the judge's socket.

    A sandbox that `builds` has an empty, limited folder to write to as its current one; the submission is seen at
    `given`. Plays follow one another: open_play, status, end_play. Raises StageError if this machine cannot do it.
    """

    def __init__(
        self,
        mode: str,
        folder: Path,
        stage: Path,
        *,
        builds: bool = False,
        root: Path | None = None,
    ) -> None:
        self.mode = mode
        own = mode == PIDNS
        self.given = (GIVEN if own else str(folder)) if builds else None
        self.stage = STAGE if own else str(stage)
        launcher = stage / "launcher"
        if not launcher.exists():
            put_program(compiled("launcher"), launcher)
        self.user = user = private_user()  # whom it runs as; None: as we do ourselves
        self._temporary = None if own else _open_folder(stage / "tmp")
        if own:
            self.folder = SUBMISSION
        else:
            self.folder = str(_open_folder(stage / "build") if builds else folder)
            if builds and user is not None:
                os.chown(self.folder, user, user)
        self._passed: int | None = None  # a descriptor that came with the last answer
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._orders.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._orders.settimeout(_ANSWER_SECONDS)
        # In a namespace all that bubblewrap starts is that user's; else our launcher remains out of reach, as root.
        outer = user if own else None
        inner = 0 if own else user or 0
        command = [f"{self.stage}/launcher", mode, str(theirs.fileno()), str(inner)]
        command += [f"PATH={search_path()}", str(self._temporary or "/tmp")]
        command += [f"build:{self.folder}"] if builds else []
        if own:
            command = [*bubblewrap(folder, stage, builds, root), "--", *command]
        else:
            command += [f"ro:{path}" for path in (folder, stage, *foreign_prefixes())]
            command += [f"rw:{self._temporary}"]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=[theirs.fileno()],
                cwd=folder if not own else "/",
                start_new_session=True,
                user=outer,
                group=outer,
                extra_groups=None if outer is None else [],
            )
        try:
            words, self.launcher_pid = self._answer()
            if words != "ready":
                raise StageError(f"the launcher does not start: {_reason(words)}")
        except BaseException:
            self.close()
            raise

    def open_play(
        self,
        command: Sequence[str],
        standard: tuple[int, int, int],
        *,
        terminal: bool = False,
        timers: bool = False,
        below_init: bool = False,
        settings: Sequence[str] = (),
    ) -> tuple[int, int | None]:
        """Starts `command` as the init of a play, with three descriptors; answers its pid, as seen from here.

        `below_init`: as an ordinary process, which is a child of an init of ours.

        With `terminal` the first descriptor becomes its controlling terminal. With `timers` it answers a descriptor
        too, for stage/timers.py, which has to be read from: who sets a timer waits for that. None where the kernel
        has no such thing. Who is to be traced waits until the descriptor that is answered is closed. `settings`: see
        c/start.h.
        """
        letters = {"t": terminal, "r": timers, "c": below_init}
        flags = "play" + ("".join(letter for letter, on in letters.items() if on) or "-")
        order = b"\0".join(map(os.fsencode, [flags, *settings, "", *command, ""]))
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", standard))
        try:
            self._orders.sendmsg([order], [rights])
        except OSError as error:
            raise StageError(f"the launcher is gone: {error}") from error
        words, pid = self._answer()
        if words.startswith("failed") and words.endswith("trace"):
            raise UnableError("this machine does not let us trace an init until it has forked")
        if words != "init":
            raise StageError(f"the launcher cannot open a play: {_reason(words)}")
        passed, self._passed = self._passed, None
        return pid, passed

    def status(self) -> int | None:
        """How the launcher's child ended, an init, as os.waitstatus_to_exitcode() tells it; None while it lives.

        Init stays a zombie until `end_play`.
        """
        answer = self._ask("status")
        if answer == "alive":
            return None
        _, code, value = answer.split()
        return int(value) if int(code) == os.CLD_EXITED else -int(value)

    def fork_is_awaited(self) -> bool:
        """Whether init, of whom somebody is to be frozen after its fork, has not forked yet."""
        return self._ask("birth") == "awaited"

    def await_fork_no_more(self) -> bool:
        """Whether somebody is frozen; if init has not forked yet, nobody will be."""
        return self._ask("give up") == "frozen"

    def thaw_main(self) -> None:
        """Lets main run that was frozen after init's fork, if it was."""
        self._ask("thaw")

    def excess(self) -> str | None:
        """Of what the play took too much, and was killed for it, in words."""
        answer = self._ask("excess")
        return None if answer == "nothing" else EXCESSES[answer]

    def means(self) -> Means:
        """What this machine has to confine it with."""
        _, landlock, filters, fenced, asks = self._ask("means").split()
        return Means(int(landlock), filters == "1", fenced == "1", asks == "1")

    def processor_seconds(self) -> float:
        """How long the launcher has been on a processor, and those whom it has waited for: of plays that are over."""
        return proc.processor_seconds(self.launcher_pid)

    def end_play(self) -> None:
        """Kills and reaps whoever is left of the play, and empties its /tmp."""
        self._ask("end")
        if self._temporary is not None and any(self._temporary.iterdir()):
            remove(self._temporary)
            _open_folder(self._temporary)

    def close(self) -> None:
        """Ends the sandbox and everything in it.

        The launcher ends by itself: a bubblewrap that is killed does not wait for it, and what all the plays have cost
        would be counted nowhere.
        """
        self._orders.close()
        try:
            self._process.wait(_END_SECONDS if self.mode == PIDNS else None)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(self, order: str) -> str:
        try:
            self._orders.send(order.encode())
        except OSError as error:
            raise StageError(f"the launcher is gone: {error}") from error
        while True:
            words, _ = self._answer()
            # An exec that failed is told when it fails, so it may come in between; the exit status tells it too.
            if not words.startswith("failed"):
                return words

    def _answer(self) -> tuple[str, int]:
        """The launcher's next message and its sender's pid. Raises StageError if there is none."""
        try:
            message, ancillary, _, _ = self._orders.recvmsg(
                512,
                socket.CMSG_SPACE(_CREDENTIALS.size) + socket.CMSG_SPACE(_ONE_DESCRIPTOR.size),
                socket.MSG_CMSG_CLOEXEC,
            )
        except TimeoutError as late:
            raise StageError(
                f"the launcher does not answer within {_ANSWER_SECONDS:.0f} s"
            ) from late
        if not message:
            complaint = b""
            if self._process.stderr is not None:
                self._process.kill()
                complaint = self._process.stderr.read()
            raise StageError(
                complaint.decode(errors="replace").strip() or "the launcher ended unexpectedly"
            )
        pid = 0
        for _, kind, content in ancillary:
            if kind == socket.SCM_CREDENTIALS:
                pid = _CREDENTIALS.unpack(content)[0]
            elif kind == socket.SCM_RIGHTS:
                self._passed = _ONE_DESCRIPTOR.unpack(content)[0]
        return message.decode(), pid


def _open_folder(path: Path) -> Path:
    """Makes a folder to which everybody may write."""
    path.mkdir()
    path.chmod(0o1777)
    return path


def _reason(words: str) -> str:
    """ "failed ERRNO WHAT" in plain words."""
    match words.split(maxsplit=2):
        case ["failed", number, *what]:
            return f"{' '.join(what) or 'clone'}: {os.strerror(int(number))}"
    return words
