"""A new Python that does one thing and ends: see `forklab.lens.edge.copies` for what may stand in its place."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence


class Spawned:
    """`python -m module WORD...`, the leader of a new session. It has our descriptors in `keeps`, and no others.

    `stdin` and `stdout` are as subprocess.Popen has them; its standard error is a pipe.
    """

    def __init__(
        self,
        module: str,
        words: Sequence[str],
        *,
        stdin: int | None,
        stdout: int | None,
        keeps: Sequence[int],
    ) -> None:
        self._process = subprocess.Popen(
            # -P: a json.py in the reader's folder is not ours.
            [sys.executable, "-P", "-m", module, *words],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            pass_fds=keeps,
            start_new_session=True,  # Ctrl-C at a terminal is for us, not for it
        )
        self.pid = self._process.pid

    def communicate(self, timeout: float | None = None) -> tuple[bytes, bytes]:
        """Raises TimeoutError."""
        try:
            output, complaint = self._process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error
        return output or b"", complaint or b""

    def wait(self, timeout: float | None = None) -> int:
        """Raises TimeoutError."""
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise TimeoutError from error

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> None:
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()
