"""Passes on what a program prints while it does, and ends it if it goes on and on although nobody reads that any more.

A program that prints by itself would get SIGPIPE then; ours prints into a terminal, or into a pipe that we read. Who
is almost done may still come to its end, so that its history does not depend on when a `head` went away.
"""

from __future__ import annotations

import os

from forklab.lens.world.limits import EndOfRunError, Findings

_OUTPUT = 1
_MOST_BYTES, _MOST_WRITES = 1 << 16, 100  # that nobody reads: the first is what a pipe holds


class Echo:
    """Called with what was written. It notes in `findings` why not all of it could be passed on."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._bytes = self._writes = 0

    def __call__(self, content: bytes) -> None:
        """Raises EndOfRunError."""
        if self._writes:
            self._nobody_reads(content)
        elif not self._findings.lost:
            self._pass_on(content)

    def _pass_on(self, content: bytes) -> None:
        try:
            while content:  # an alarm may come in the middle
                content = content[os.write(_OUTPUT, content) :]
        except BrokenPipeError:  # as under `| head`
            self._nobody_reads(content)
        except OSError as error:
            self._findings.lost = error.strerror

    def _nobody_reads(self, content: bytes) -> None:
        self._bytes += len(content)
        self._writes += 1
        if self._bytes > _MOST_BYTES or self._writes > _MOST_WRITES:
            raise EndOfRunError("Nobody reads what it prints any more, and it goes on.")
