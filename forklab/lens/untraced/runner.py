"""Runs one program, looks at it when it is at rest, lets it go.

    python -m forklab.lens.untraced.runner LIFELINE REQUEST

This is a small process of its own, so that whoever wants to look (a notebook's kernel) is neither
forked nor made a subreaper. Every process of the program stays below the runner, also orphans and
those in a new session, and none of them outlives it. When LIFELINE ends, whoever asked is gone or
has lost interest.

The program has a terminal as its standard output and error, as a student at a shell has it, and an
empty pipe as its standard input. When everybody sleeps, the tree is written down; then the pipe is
closed, which every reader sees as end of file. Who still sleeps may wait for a clock, so it has the
rest of its time. `forklab.lens.untraced.snapshot` is the other end; the answer is a `Sighting`, as
JSON on standard output.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import termios
import time
from dataclasses import dataclass, field

import psutil

from forklab.history import State, Tree
from forklab.lens.edge.namespace import become_subreaper
from forklab.lens.request import Request
from forklab.lens.untraced.quiet import everybody_sleeps, look_below
from forklab.lens.untraced.sighting import Sighting
from forklab.live import live_tree

MOST_PROCESSES = 200
MOST_OUTPUT = 1_000_000  # bytes
PAUSE = 5  # ms between two looks; a matter of pace only
NAP = 50  # the same, while we wait for the clocks of others


class EarlyEndError(Exception):
    """Why the program is not watched to its end; the text is the word in the answer."""


@dataclass
class Watched:
    """The program while it runs: our ends of its terminal and input, what we know so far."""

    pid: int
    terminal: int
    stdin: int
    deadline: float
    lifeline: int = -1
    output: bytearray = field(default_factory=bytearray)
    statuses: dict[int, int] = field(default_factory=dict)
    childless: bool = False
    hung_up: bool = False  # nobody holds the other end of the terminal any more

    def listen(self, pause: int = PAUSE) -> bool:
        """Take what it has written and reap who is dead; whether anything was written.

        Raises EarlyEndError when the lifeline is cut, the time is over or there is too much of
        something.
        """
        poll = select.poll()
        poll.register(self.lifeline, select.POLLIN)
        if not self.hung_up:
            poll.register(self.terminal, select.POLLIN)
        ready = dict(poll.poll(pause))
        if self.lifeline in ready:
            raise EarlyEndError("abandoned")
        written = b""
        if self.terminal in ready:
            try:
                written = os.read(self.terminal, 65536)
            except OSError:  # EIO, once all is read that was written before
                self.hung_up = True
        self.output += written
        self._reap()
        if len(self.output) > MOST_OUTPUT:
            raise EarlyEndError("flood")
        if time.monotonic() > self.deadline:
            raise EarlyEndError("busy")
        return bool(written)

    def _reap(self) -> None:
        try:
            while (dead := os.waitpid(-1, os.WNOHANG))[0]:
                self.statuses[dead[0]] = os.waitstatus_to_exitcode(dead[1])
        except ChildProcessError:
            self.childless = True

    def tree_at_rest(self) -> Tree | None:
        """The tree below us at a moment when everybody slept; None if all ended before."""
        me = os.getpid()
        while True:
            if self.listen():
                continue
            if self.childless:
                return None
            before = look_below(me)
            if len({look.pid for look in before}) > MOST_PROCESSES:
                raise EarlyEndError("crowd")
            if not everybody_sleeps(before):
                continue
            tree = live_tree(me)
            if not self.listen(pause=0) and not self.childless and look_below(me) == before:
                return tree

    def let_go(self) -> Tree | None:
        """Close its input and follow it to the end; the tree of those who sleep when their time is over.

        Who is stopped waits for nothing but a signal: if nobody else is left, that is the end.
        """
        os.close(self.stdin)
        try:
            while (left := self.tree_at_rest()) and not _all_stopped(left):
                self.listen(NAP)
        except EarlyEndError as reason:
            if str(reason) != "busy" or not everybody_sleeps(look_below(os.getpid())):
                raise
            return live_tree(os.getpid())
        while left is None and not self.hung_up:
            self.listen()  # to its last words
        return left

    def kill_all(self) -> None:
        """Kill everybody below us, round after round: somebody may fork between two rounds."""
        while not self.childless:
            for process in psutil.Process().children(recursive=True):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process.pid, signal.SIGKILL)
            self._reap()


def _all_stopped(tree: Tree) -> bool:
    below = [node for node in tree if node.pid != os.getpid()]
    return all(node.state in (State.STOPPED, State.ZOMBIE) for node in below)


def start(request: Request, lifeline: int) -> Watched:
    """Start the program. Raises OSError if it can't be."""
    ours, theirs = os.openpty()
    flags = termios.tcgetattr(theirs)
    flags[1] &= ~termios.OPOST  # a newline stays a newline
    termios.tcsetattr(theirs, termios.TCSANOW, flags)
    stdin, our_stdin = os.pipe()
    environment = {**request.environment, "TERM": "dumb"}
    program = subprocess.Popen(
        request.argv,
        executable=request.program,
        stdin=stdin,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    program.returncode = 0  # we reap by ourselves, whoever dies: Popen shall not wait for it
    os.close(stdin)
    os.close(theirs)
    assert request.limits.real_seconds is not None
    deadline = time.monotonic() + request.limits.real_seconds
    return Watched(program.pid, ours, our_stdin, deadline, lifeline)


def watch(request: Request, lifeline: int) -> Sighting:
    tree, left, ended_early = None, None, None
    watched = start(request, lifeline)
    try:
        tree = watched.tree_at_rest()
        left = watched.let_go()
    except EarlyEndError as reason:
        ended_early = str(reason)
        if tree is None:
            tree = live_tree(os.getpid())
    finally:
        ended = dict(watched.statuses)  # by themselves: what follows is our doing
        watched.kill_all()
    return Sighting(
        runner=os.getpid(),
        first=watched.pid,
        nodes=tuple(tree or ()),
        output=watched.output[:MOST_OUTPUT].decode(errors="replace"),
        statuses=ended,
        left=tuple(node.pid for node in left or () if node.pid != os.getpid()),
        ended_early=ended_early,
    )


def main(lifeline: int, request: Request) -> None:
    os.set_inheritable(lifeline, False)  # the program shall find none of ours
    become_subreaper()
    try:
        seen = watch(request, lifeline)
    except OSError as error:
        seen = Sighting(refused=error.strerror)
    sys.stdout.write(seen.to_json())


if __name__ == "__main__":
    main(int(sys.argv[1]), Request.from_json(sys.argv[2]))
