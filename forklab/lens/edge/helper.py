"""A process of ours that does one job: it hangs on a lifeline, has a grace to end in, and ends for certain.

Tracing belongs to one thread, waitpid(-1) takes everybody's children, and a notebook's kernel must not fork: so whoever
runs a program does it in such a process. When its lifeline is cut, by us or by the kernel because we are gone, it kills
whom it has started and ends. If it does not, it is killed; and then those of its session, which it could not kill.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
from collections.abc import Sequence
from typing import Protocol, Self

from forklab.lens.edge.copies import DEVNULL, Copy

_GRACE = 10.0  # seconds to kill whom it must


class _Process(Protocol):
    """A `Copy`, or a `Spawned`."""

    pid: int

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...

    def close(self) -> None: ...


class Helper:
    """`python -m module LIFELINE WORD...`: LIFELINE is the descriptor on which it reads the end when it has to end.

    `keeps` are descriptors of ours that it has too. With `forks` a copy of this process does the same, by the `main` of
    that module: see `Copy` for who may want that. It ends with the `with` block, also on Ctrl-C.
    """

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        *,
        keeps: Sequence[int] = (),
        stdin: int | None = DEVNULL,
        stdout: int | None = DEVNULL,
        forks: bool = False,
    ) -> None:
        theirs, self._lifeline = os.pipe()
        kept, words = (theirs, *keeps), (str(theirs), *words)
        self._process: _Process
        try:
            if forks:
                main = importlib.import_module(module).main
                self._process = Copy(lambda: main(*words), stdin=stdin, stdout=stdout, keeps=kept)
            else:
                from forklab.lens.edge.spawned import (
                    Spawned,  # here: who makes a copy has no need of it
                )

                self._process = Spawned(module, words, stdin=stdin, stdout=stdout, keeps=kept)
        except BaseException:
            os.close(self._lifeline)
            raise
        finally:
            os.close(theirs)

    @property
    def pid(self) -> int:
        return self._process.pid

    def answer(self, seconds: float | None = None) -> tuple[str, str, int]:
        """All that it writes to its standard output and error, to its end, and its status.

        Raises TimeoutError if it needs longer than `seconds`.
        """
        output, complaint = self._process.communicate(timeout=seconds)
        words = complaint.decode(errors="replace").strip()
        return output.decode(errors="replace"), words, self._process.wait()

    def cut(self) -> None:
        """Tells it to end; `close` waits until it has."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1

    def close(self) -> None:
        self.cut()
        try:
            self._process.wait(timeout=_GRACE)
        except TimeoutError:
            self._process.kill()  # its tracees die with it, and a namespace with its PID 1
        if self._process.wait() != 0:
            self._kill_session()
        self._process.close()

    def _kill_session(self) -> None:
        """It was killed, or failed, before it could kill the others."""
        for name in filter(str.isdecimal, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.getsid(int(name)) == self.pid:
                    os.kill(int(name), signal.SIGKILL)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
