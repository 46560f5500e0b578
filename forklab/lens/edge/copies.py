"""A copy of this process that does one thing and ends, in the place of a new Python, which takes longer to start.

Only for who has one thread and nothing open that others must not have: for commands, but not for a notebook.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
from collections.abc import Callable, Sequence

from forklab.lacking import last_words

DEVNULL = -3  # as subprocess has it, which takes longer to load than a copy to be made


class Copy:
    """What it is called with and answers is as with `Spawned`, as far as `Helper` has use for it.

    Its standard error is a pipe, of its other descriptors it has only those in `keeps`, and it is the leader of a new
    session. `stdin` and `stdout` are ours (None) or /dev/null (DEVNULL).
    """

    def __init__(
        self,
        work: Callable[[], None],
        *,
        stdin: int | None,
        stdout: int | None,
        keeps: Sequence[int],
    ) -> None:
        gc.freeze()  # what is loaded by now stays for ever: to look through it would copy it
        told, tell = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            silent = [number for number, file in enumerate((stdin, stdout)) if file is not None]
            _guarded(work, silent, tell, keeps)
        os.close(tell)
        self._complaint = os.fdopen(told, "rb")
        self.returncode: int | None = None

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        complaint = self._complaint.read()
        self.wait(timeout)
        return b"", complaint

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutError."""
        if self.returncode is None:
            process = os.pidfd_open(self.pid)
            try:
                poll = select.poll()
                poll.register(process, select.POLLIN)
                if not poll.poll(None if timeout is None else 1000 * timeout):
                    raise TimeoutError
            finally:
                os.close(process)
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        self._complaint.close()


def _guarded(
    work: Callable[[], None], silent: Sequence[int], tell: int, keeps: Sequence[int]
) -> None:
    """In the copy: does the work and ends it, whatever happens."""
    status = 1
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in silent:
            os.dup2(nothing, number)
        os.dup2(tell, 2)
        for number in map(int, os.listdir("/proc/self/fd")):
            if number > 2 and number not in keeps:
                with contextlib.suppress(OSError):  # that of the folder itself
                    os.close(number)
        work()
        status = 0
    except BaseException as error:
        os.write(2, last_words(error).encode(errors="replace"))
    finally:
        os._exit(status)
