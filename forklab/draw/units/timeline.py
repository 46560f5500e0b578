"""A start-up in time: a row for each unit, from the moment on at which it had something to do.

Here time is to scale: one sees what ran beside what, and whom everybody waited for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from forklab.draw import measure, shapes
from forklab.draw.characters import single_line
from forklab.draw.units.style import LOOKS, NAME_SIZE, UNITS_STYLE_SHEET

_EDGE, _ROW, _BAR, _WIDTH = 12, 24, 14, 720
_AXIS, _LEGEND, _SAMPLE = 26, 22, 22
_LEAST = 2.0  # a bar that is shorter would not be seen
_TICKS = 8  # at most


@dataclass(frozen=True)
class Phase:
    """A unit in one state, from `start` to `end` in seconds, as systemctl calls the state."""

    state: str
    start: float
    end: float


@dataclass(frozen=True)
class Row:
    name: str
    phases: tuple[Phase, ...]

    @property
    def words(self) -> str:
        """How long it took to come up."""
        took = sum(phase.end - phase.start for phase in self.phases if phase.state == "activating")
        return f"{_time(took)}" if took else ""


def timeline_svg(rows: Sequence[Row], title: str = "") -> str:
    """One <svg> element, the same bytes on every machine."""
    end = max((phase.end for row in rows for phase in row.phases), default=0.0) or 1.0
    names = max(
        (measure.text_width(single_line(row.name), NAME_SIZE, bold=True) for row in rows), default=0
    )
    left = _EDGE + names + 12
    top = _EDGE + (measure.TITLE_SIZE + 14 if title else 0)
    bottom = top + _ROW * len(rows)
    scale = _WIDTH / end
    lines = shapes.opening(
        "forklab-units",
        _read_aloud(rows),
        left + _WIDTH + 70,
        bottom + _AXIS + _LEGEND + _EDGE,
        title=single_line(title) or "start-up",
        style_sheet=UNITS_STYLE_SHEET,
    )
    if title:
        lines.append(shapes.text("title", _EDGE, _EDGE + measure.TITLE_SIZE, single_line(title)))
    lines.append(shapes.path(f"M{left} {bottom}H{left + _WIDTH}", "axis"))
    for number in range(int(end / _step(end)) + 1):
        x = shapes.number(left + number * _step(end) * scale)
        lines.append(shapes.path(f"M{x} {top}V{bottom + 5}", "guide"))
        lines.append(shapes.text("time", float(x) - 4, bottom + 18, _time(number * _step(end))))
    lines.append(_legend(rows, left, bottom + _AXIS))
    for number, row in enumerate(rows):
        lines.append(_row(row, left, top + _ROW * number, scale))
    return "\n".join([*lines, "</svg>\n"])


def _row(row: Row, left: float, top: float, scale: float) -> str:
    name = shapes.text("name", _EDGE, top + 16, single_line(row.name))
    bars, last = "", left
    for phase in row.phases:
        if phase.state == "inactive":
            continue
        start = left + phase.start * scale
        width = max((phase.end - phase.start) * scale, _LEAST)
        corner = 0 if phase.state == "failed" else 3
        bar = shapes.rect(f"bar {phase.state}", start, top + 5, width, _BAR, corner=corner)
        words = f"{row.name} {phase.state}, {_time(phase.start)} to {_time(phase.end)}"
        bars += shapes.group(shapes.name(words) + bar)
        last = start + width
    return shapes.group(name + bars + shapes.text("label", last + 5, top + 16, row.words), "row")


def _legend(rows: Sequence[Row], left: float, top: float) -> str:
    """What the bars mean, of the states that there are."""
    seen = {phase.state for row in rows for phase in row.phases}
    drawn = ""
    for state in (state for state in LOOKS if state in seen - {"inactive"}):
        corner = 0 if state == "failed" else 3
        drawn += shapes.rect(f"sample {state}", left, top + 5, _SAMPLE, 12, corner=corner)
        drawn += shapes.text("label", left + _SAMPLE + 6, top + 15, state)
        left += _SAMPLE + measure.text_width(state, measure.LABEL_SIZE) + 24
    return shapes.group(drawn, "legend")


def _step(end: float) -> float:
    """Between two ticks: 1, 2 or 5 of some power of ten."""
    step = 0.001
    while end / step > _TICKS:
        step *= 2.5 if f"{step:g}".strip("0.").startswith("2") else 2.0
    return step


def _time(seconds: float) -> str:
    return (
        f"{seconds * 1000:.0f} ms"
        if seconds < 1
        else f"{seconds:.2f}".rstrip("0").rstrip(".") + " s"
    )


def _read_aloud(rows: Sequence[Row]) -> str:
    sentences = (
        f"{row.name}: " + ", ".join(f"{p.state} from {_time(p.start)}" for p in row.phases) + "."
        for row in rows
    )
    return single_line(" ".join(sentences)) or "No unit."
