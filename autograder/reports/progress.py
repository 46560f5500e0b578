"""How far a class is: a bar with the time left on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections import Counter
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from autograder.grading.records import Result
from autograder.reports.feedback import STANDING_MARKS

_SECONDS_BETWEEN_LINES = 5.0


class ClassProgress:
    """Shows how many students are graded and how they did; a context manager around the grading."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._has_bar = console.is_terminal and not console.is_dumb_terminal
        self._counts: Counter[str] = Counter()  # by the words of Assessment.standing
        self._to_do = 0
        self._started = self._said = time.monotonic()
        self._bar = Progress(
            TextColumn("grading"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            TextColumn("{task.fields[counts]}"),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            console=console,
            disable=not self._has_bar,
            expand=True,
        )
        self._task = self._bar.add_task("", total=None, counts="")

    def start(self, to_do: int) -> None:
        self._to_do = to_do
        self._started = self._said = time.monotonic()
        self._bar.update(self._task, total=to_do)

    def result(self, result: Result) -> None:
        self._counts[result.assessment.standing] += 1
        counts = "  ".join(
            f"{mark} {self._counts[word]}"
            for word, mark in STANDING_MARKS.items()
            if self._counts[word]
        )
        self._bar.update(self._task, advance=1, counts=counts)
        now = time.monotonic()
        if not self._has_bar and (
            self.done == self._to_do or now - self._said >= _SECONDS_BETWEEN_LINES
        ):
            self._said = now
            self._console.print(self._line(now), soft_wrap=True, highlight=False)

    @property
    def done(self) -> int:
        return self._counts.total()

    def _line(self, now: float) -> str:
        words = ", ".join(
            f"{self._counts[word]} {word}" for word in STANDING_MARKS if self._counts[word]
        )
        line = f"graded {self.done} of {self._to_do} ({words})"
        if self.done < self._to_do:
            left = (now - self._started) / self.done * (self._to_do - self.done)
            line += f", about {_duration(left)} left"
        return line

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
