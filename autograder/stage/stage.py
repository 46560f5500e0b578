"""Where plays are given: a submission's sandbox, the actors' program, and the socket at which they report."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from autograder.language.roles import MAIN, PIDNS, Casting, is_in_virtual_time, isolation_of
from autograder.stage.compiled import compiled
from autograder.stage.conduct import Conduct
from autograder.stage.confinement import search_path
from autograder.stage.errors import StageError
from autograder.stage.sandbox import Sandbox
from autograder.stage.start import Start
from autograder.stage.surroundings import file_id
from autograder.stage.tools import put_program
from autograder.stage.users import (
    looking_as,
    may_become,
    may_see_everybody,
    private_uids,
    user_of,
)
from autograder.stage.workspace import Workspace, remove

_WITNESS = "witness.so"
_STOPS = {False: "stops", True: "stops-and-exits"}  # at which calls a play stops in virtual time


class Stage:
    """Where plays are given with one submission: its sandbox, and the socket at which actors report.

    `conduct` is what is known of it already, from another stage. In virtual time `seed` decides who is next where
    several can go on: another one in each scenario, and the same ones each time.
    """

    def __init__(
        self,
        mode: str,
        workspace: Workspace,
        submission: Path,
        conduct: Conduct | None = None,
        *,
        by_schedule: bool = False,
        seed: int = 0,
    ) -> None:
        """`by_schedule`: somebody chooses each step of its plays, in virtual time."""
        self.seed = seed
        folder = workspace.subfolder()
        self.in_virtual_time = is_in_virtual_time(mode)
        mode = isolation_of(mode)
        if self.in_virtual_time and (refusal := refusal_to_trace(mode)):
            raise StageError(refusal)
        self.program = folder / "actor"
        put_program(compiled("cued_actor" if self.in_virtual_time else "actor"), self.program)
        if self.in_virtual_time:
            # Here alone: they bring the lens along, which plays in real time do without.
            from forklab.lens.performance import filter_of_stops

            for holds_exits in (False, True):
                if by_schedule:
                    from forklab.lens.rehearsal import filter_of_steps  # the explorer comes along

                    stops = filter_of_steps()
                else:
                    stops = filter_of_stops(holds_exits=holds_exits)
                (folder / _STOPS[holds_exits]).write_bytes(stops)
        if mode == PIDNS or may_see_everybody():
            # Who may execute a program but not read it cannot look into it while it runs, nor change it there through
            # /proc/PID/mem: see would_dump() in Linux' fs/exec.c. In mode subreaper we could not look either, unless
            # nothing is hidden from us.
            self.program.chmod(0o111)
        self._identity = file_id(self.program)
        self.listener = _listen(folder)
        self.sandbox = Sandbox(mode, submission, folder, root=workspace.root)
        if self.sandbox.user is not None:
            os.chown(folder / "socket", self.sandbox.user, self.sandbox.user)
        if mode == PIDNS and self.sandbox.user is not None:
            # Its namespace is to have power over the program, and so have we by looking as its user. It is mounted
            # read-only there, and remains as it is.
            os.chown(self.program, self.sandbox.user, self.sandbox.user)
        self.conduct = Conduct() if conduct is None else conduct
        self._commands = folder / "bin"
        self._named: frozenset[str] = frozenset()  # those that stand there
        self._files = folder / "files"
        self._laid: tuple[tuple[str, str], ...] = ()  # the files that stand there

    @property
    def main(self) -> list[str]:
        """The command that init is asked to start, as it is found inside the sandbox."""
        return [f"{self.sandbox.stage}/actor", MAIN]

    def put_commands(self, casting: Casting) -> None:
        """Lets the actor be found under these names, and no others, in the folder that `search_path` begins with.

        They are all the same file: whoever executes one of them is our actor, and cannot be read either.
        """
        wanted = frozenset(casting.commands)
        if wanted == self._named:
            return  # as in most plays: those of a lab are the same, or there are none
        self._commands.mkdir(exist_ok=True)
        self._commands.chmod(0o755)
        for name in self._named - wanted:
            (self._commands / name).unlink()
        for name in wanted - self._named:
            os.link(self.program, self._commands / name)
        self._named = wanted

    def search_path(self) -> str:
        """PATH, for a subject that is to find those commands."""
        return f"{self.sandbox.stage}/bin:{search_path()}"

    def put_files(self, files: Sequence[tuple[str, str]]) -> str:
        """Lays these files, names and texts, and no others into a folder of their own; answers how that is seen inside.

        What begins with #! can be executed. Nothing in there can be written to.
        """
        there = f"{self.sandbox.stage}/files"
        if tuple(files) == self._laid and self.sandbox.mode == PIDNS:
            return there  # as in most plays; elsewhere they are not mounted, and somebody may have changed them
        self._laid = ()
        remove(self._files)
        self._files.mkdir()
        self._files.chmod(0o755)
        for name, text in files:
            draft = self._files / f".{len(name)}"
            draft.write_text(text, "utf-8")
            draft.chmod(0o755 if text.startswith("#!") else 0o644)
            target = self._files / name
            target.parent.mkdir(parents=True, exist_ok=True)
            put_program(draft, target)
            draft.unlink()
        self._laid = tuple(files)
        return there

    def is_actor(self, pid: int) -> bool:
        """Whether a process executes the actor program: then it will never execute anything else."""
        try:
            with looking_as(user_of(pid)):
                return file_id(f"/proc/{pid}/exe") == self._identity
        except OSError:
            return False

    def settings(self, start: Start) -> list[str]:
        """What the launcher is told of how init is started."""
        library = self.program.with_name(_WITNESS)
        if start.exit_handler and not library.exists():
            put_program(compiled("witness"), library)
        settings = start.settings(f"{self.sandbox.stage}/{_WITNESS}")
        if self.in_virtual_time:
            settings.append(f"stops {self.sandbox.stage}/{_STOPS[start.exits_held]}")
        return settings

    def close(self) -> None:
        self.sandbox.close()
        self.listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def refusal_to_trace(isolation: str) -> str:
    """Why a submission must not be traced where it stands so; empty if it may.

    As a process of our own user, and with no namespace between, it could reach its tracer: kill it, or change it.
    """
    if isolation == PIDNS or may_become(private_uids()[0]):
        return ""
    return (
        "without namespaces there is virtual time only for root with all its rights: below the lens a submission would "
        "be the grader's own user, and could reach the grader"
    )


def _listen(folder: Path) -> socket.socket:
    """A socket in this folder, for one user alone. /proc/net/unix, which everybody may read, does not tell where."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    there = os.open(folder, os.O_PATH)
    try:
        listener.bind(f"/proc/self/fd/{there}/socket")
    finally:
        os.close(there)
    (folder / "socket").chmod(0o600)
    listener.listen(256)
    return listener
