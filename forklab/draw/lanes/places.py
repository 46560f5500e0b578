"""Where everything in a picture of lanes goes, from the left to the right.

Each event has a column of its own. It is as far right as its words and its line need to be free of
all that stands there already, and never nearer to the one before than STEP.
"""

from __future__ import annotations

from dataclasses import dataclass

from forklab.draw import measure
from forklab.draw.characters import single_line
from forklab.draw.chronology import family_order, followers, seconds
from forklab.draw.lanes import labels
from forklab.draw.lanes.spans import spans
from forklab.history import Event, History, Process, State

STEP = 26  # from a column to the next, at least
LULL = 64  # the same, if a second or more has passed: one shall see that it is long, not how long
GAP = 8  # between two words in a lane
LEAD = 4  # from a mark to its words
# Whoever is born further right has its name at its bar too: the first one is out of sight.
FAR = 560

# What a word is coloured as, by the kind of its event.
_LOOKS = {
    "exit": "zombie",
    "killed": "zombie",
    "reparented": "adopted",
    "stopped": "stopped",
    "reaped": "reaped",
    "waits": "waiting",
}


@dataclass(frozen=True)
class Stretch:
    """A bar: a process in one state, from `start` to `end`."""

    lane: int
    state: State
    start: int
    end: int


@dataclass(frozen=True)
class Label:
    """A label above the bar of a lane. `mark` is where its event is; `aloud` says it in a sentence."""

    lane: int
    mark: int
    text: str
    look: str
    aloud: str

    @property
    def x(self) -> int:
        return self.mark + LEAD

    @property
    def end(self) -> int:
        return self.x + measure.text_width(self.text, measure.LABEL_SIZE, bold=self.look == "again")


@dataclass(frozen=True)
class Link:
    """An upright line from the lane `tail` to the lane `head`: "fork", "sent" or "reaped"."""

    kind: str
    x: int
    tail: int
    head: int
    aloud: str


@dataclass(frozen=True)
class Tick:
    """Where the axis says another time."""

    x: int
    text: str

    @property
    def end(self) -> int:
        return self.x + measure.text_width(self.text, measure.LABEL_SIZE)


@dataclass(frozen=True)
class Places:
    """A picture in pixels. `order` is the lanes from the top; the time runs from `left` to `width`."""

    order: tuple[Process, ...]
    stretches: tuple[Stretch, ...]
    words: tuple[Label, ...]
    links: tuple[Link, ...]
    ticks: tuple[Tick, ...]
    left: int
    width: int


def places(history: History, left: int) -> Places:
    """Where the lanes of `history` have everything, if time begins at `left`.

    Raises KeyError if something happens to a process that was never born.
    """
    order = family_order(history)
    growing = _Growing(left, {process.name: number for number, process in enumerate(order)})
    for event, following in zip(history.events, followers(history), strict=True):
        growing.add(event, following)
    columns, width = growing.columns, growing.width
    stretches = tuple(
        Stretch(
            growing.lanes[span.name],
            span.state,
            columns[span.first],
            width if span.last is None else columns[span.last],
        )
        for span in spans(history)
    )
    return Places(
        order,
        stretches,
        tuple(growing.words),
        tuple(growing.links),
        tuple(growing.ticks),
        left,
        width,
    )


class _Growing:
    """A picture that grows to the right, an event at a time. `columns` has where each event is."""

    def __init__(self, left: int, lanes: dict[str, int]) -> None:
        self.lanes = lanes
        self.columns: list[int] = []
        self.words: list[Label] = []
        self.links: list[Link] = []
        self.ticks: list[Tick] = []
        self._left = left
        self._moment = 0.0
        self._free = [left] * len(lanes)  # where the words that stand in each lane end

    @property
    def width(self) -> int:
        last = self.columns[-1] if self.columns else self._left
        return max([last + STEP, *self._free, *(tick.end for tick in self.ticks)])

    def add(self, event: Event, following: Event | None) -> None:
        lane = self.lanes[event.process]
        label = labels.label(event, following, self.lanes.keys())
        line = _line(event, self.lanes)
        time = seconds(event.t)
        ticks = not self.ticks or self.ticks[-1].text != time
        x = self._column(event, lane if label else None, line, ticks)
        aloud = single_line(f"{time}: {event.process} {labels.sentence(event)}")
        if ticks:
            self.ticks.append(Tick(x, time))
        if line is not None:
            self.links.append(Link(line[0], x, line[1], line[2], aloud))
        if label:
            self._say(Label(lane, x, label, _LOOKS.get(event.kind, ""), aloud))
        if event.kind == "fork" and event.child is not None and x > self._left + FAR:
            name = labels.short(event.child)
            self._say(Label(self.lanes[event.child], x, name, "again", aloud))

    def _column(
        self, event: Event, lane: int | None, line: tuple[str, int, int] | None, ticks: bool
    ) -> int:
        """The first place that is free for the words in `lane`, the `line` and the tick."""
        step = LULL if event.t - self._moment >= 1 else STEP
        x = self.columns[-1] + step if self.columns else self._left
        taken = [] if lane is None else [self._free[lane]]
        if line is not None:  # it passes the words of all lanes below the upper one
            upper, lower = sorted(line[1:])
            taken += self._free[upper + 1 : lower + 1]
        if ticks and self.ticks:
            taken.append(self.ticks[-1].end)
        x = max([x, *(end + GAP for end in taken if end > self._left)])
        self.columns.append(x)
        self._moment = event.t
        return x

    def _say(self, label: Label) -> None:
        self.words.append(label)
        self._free[label.lane] = label.end


def _line(event: Event, lanes: dict[str, int]) -> tuple[str, int, int] | None:
    """The line that an event draws between two lanes, if both are there."""
    kind, other = {
        "fork": ("fork", event.child),
        "sends": ("sent", event.to),
        "reaped": ("reaped", event.by),
    }.get(event.kind, ("", None))
    if other is None or other not in lanes or other == event.process:
        return None
    return kind, lanes[event.process], lanes[other]
