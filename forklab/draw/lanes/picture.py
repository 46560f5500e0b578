"""A history as lanes: time runs to the right, each process has a bar from its birth until it is reaped.

Events are told apart by their order, not by the clock: a sleep of 100 seconds is as wide as one of a
millisecond, and three forks in the same instant still stand beside each other. The axis says the
times. Where everything goes is decided in places.py, what it says in labels.py.
"""

from __future__ import annotations

from forklab.draw import measure, shapes
from forklab.draw.characters import single_line
from forklab.draw.lanes import labels
from forklab.draw.lanes.places import Label, Link, Places, Stretch, places
from forklab.draw.lanes.style import BAR_HEIGHT, HATCH_DASH, LANES_STYLE_SHEET, NAME_SIZE
from forklab.history import History, State

EDGE = 10  # free space around everything
TITLE_HEIGHT = 28
LANE_HEIGHT = 44
BAR_TOP = 22  # from the top of the lane; the words are above
AXIS_HEIGHT = 30
NOT_TO_SCALE = "time, not to scale"
NOBODY = "no process"
_RING = 3
_DOT = 4.5
_WING = 3.5  # half the width of an arrow's head
_HEAD = 7  # its length


def lanes_svg(history: History, title: str | None = None, *, styled: bool = True) -> str:
    """The history as one <svg> element, the same bytes on every machine.

    It has no prolog and no ids, and needs no Graphviz. It stands alone as a file if `styled`; a page
    that shows many passes styled=False and has LANES_STYLE_SHEET once. Raises KeyError if something
    happens to a process that is not in the history.
    """
    name_width = max(
        (
            measure.text_width(labels.short(p.name), NAME_SIZE, bold=True)
            + 10
            + measure.text_width(str(p.pid), measure.SMALL_SIZE)
            for p in history.processes
        ),
        default=0,
    )
    gutter = max(name_width, measure.text_width(NOT_TO_SCALE, measure.LABEL_SIZE))
    placed = places(history, left=EDGE + gutter + 18)
    return _Picture(placed, history, title, EDGE + gutter).draw(styled)


class _Picture:
    """Turns places into SVG. `names_end` is where the names and pids left of the lanes end."""

    def __init__(self, placed: Places, history: History, title: str | None, names_end: int) -> None:
        self._placed = placed
        self._history = history
        self._title = single_line(title) if title else ""
        self._names_end = names_end
        self._top = EDGE + (TITLE_HEIGHT if self._title else 0)
        self._bottom = self._top + LANE_HEIGHT * len(placed.order)

    def draw(self, styled: bool) -> str:
        placed = self._placed
        title_width = measure.text_width(self._title, measure.TITLE_SIZE, bold=True)
        lines = shapes.opening(
            "forklab-lanes",
            labels.read_aloud(self._history, placed.order),
            max(placed.width, title_width + EDGE) + EDGE,
            self._bottom + AXIS_HEIGHT + EDGE,
            title=self._title or "lanes of processes",
            style_sheet=LANES_STYLE_SHEET if styled else "",
        )
        if self._title:
            lines.append(shapes.text("title", EDGE, EDGE + measure.TITLE_SIZE, self._title))
        lines += (
            self._axis() if placed.order else [shapes.text("time", EDGE, self._top + 16, NOBODY)]
        )
        lines += [self._link(link) for link in placed.links]
        lines += [self._lane(number) for number in range(len(placed.order))]
        lines += [self._dot(link) for link in placed.links if link.kind == "reaped"]
        return "\n".join([*lines, "</svg>\n"])

    def _bar_top(self, lane: int) -> int:
        return self._top + LANE_HEIGHT * lane + BAR_TOP

    def _middle(self, lane: int) -> int:
        return self._bar_top(lane) + BAR_HEIGHT // 2

    def _axis(self) -> list[str]:
        """The line below, a tick where the time changes, and a guide up from it."""
        y = self._bottom + 6
        drawn = [shapes.path(f"M{self._placed.left} {y}H{self._placed.width}", "axis")]
        for tick in self._placed.ticks:
            drawn += [
                shapes.path(f"M{tick.x} {self._top}V{y}", "guide"),
                shapes.path(f"M{tick.x} {y}v5", "axis"),
                shapes.text("time", tick.x, y + 18, tick.text),
            ]
        return [*drawn, shapes.text("time", EDGE, y + 18, NOT_TO_SCALE)]

    def _lane(self, lane: int) -> str:
        """A process: its name, its bars, its marks, its words."""
        process = self._placed.order[lane]
        baseline = self._bar_top(lane) + BAR_HEIGHT - 2
        name = single_line(process.name)
        inside = [
            shapes.name(name),
            shapes.text("name", EDGE, baseline, labels.short(process.name)),
            shapes.text("pid", self._names_end, baseline, str(process.pid)),
        ]
        stretches = [s for s in self._placed.stretches if s.lane == lane]
        if process.reaper and stretches:
            inside.append(self._ring(stretches))
        inside += [self._bar(stretch) for stretch in stretches]
        inside += [self._label(label) for label in self._placed.words if label.lane == lane]
        return shapes.group(
            "".join(inside), "lane reaper" if process.reaper else "lane", process=name
        )

    def _ring(self, stretches: list[Stretch]) -> str:
        """The second line around PID 1 or a subreaper."""
        x, y = stretches[0].start - _RING, self._bar_top(stretches[0].lane) - _RING
        width = stretches[-1].end - stretches[0].start + 2 * _RING
        height = BAR_HEIGHT + 2 * _RING
        return shapes.rect("ring", x, y, width, height, corner=5)

    def _bar(self, stretch: Stretch) -> str:
        y, width = self._bar_top(stretch.lane), stretch.end - stretch.start
        zombie = stretch.state is State.ZOMBIE
        drawn = shapes.rect(
            f"bar {stretch.state}", stretch.start, y, width, BAR_HEIGHT, corner=0 if zombie else 3
        )
        if not zombie:
            return drawn
        # A thick dashed line that leans: hatching of any length, without a pattern and its id.
        lean = BAR_HEIGHT // 2
        way = f"M{lean + HATCH_DASH[0]} 0H{width - lean}"
        leaning = f"translate({stretch.start} {y + lean}) skewX(-45)"
        return drawn + shapes.path(way, "hatch", transform=leaning)

    def _label(self, label: Label) -> str:
        top = self._bar_top(label.lane)
        middle, sign = self._middle(label.lane), ""
        if label.look == "adopted":
            half = BAR_HEIGHT // 2 - 1
            way = f"M{label.mark} {middle - half}l{half} {half}l{-half} {half}l{-half} {-half}Z"
            sign = shapes.path(way, "sign")
        elif label.look == "reaped":  # by somebody without a lane
            sign = shapes.circle("dot", label.mark, middle, _DOT)
        tick = shapes.path(f"M{label.mark} {top - 15}V{top}", "tick")
        words = shapes.text(f"label {label.look}".strip(), label.x, top - 7, label.text)
        return shapes.group(shapes.name(label.aloud) + tick + sign + words)

    def _link(self, link: Link) -> str:
        """A line upright between two lanes, behind the bars; with an arrow unless it ends in a dot."""
        tail, head, arrow = self._middle(link.tail), self._middle(link.head), ""
        if link.kind != "reaped":
            down = link.head > link.tail
            head = self._bar_top(link.head) + (0 if down else BAR_HEIGHT)
            back = -_HEAD if down else _HEAD
            arrow = shapes.path(f"M{link.x} {head}l{-_WING} {back}h{2 * _WING}Z", "head")
        line = shapes.path(f"M{link.x} {tail}V{head}", f"edge {link.kind}")
        return shapes.group(shapes.name(link.aloud) + line + arrow)

    def _dot(self, link: Link) -> str:
        return shapes.circle("dot", link.x, self._middle(link.head), _DOT, shapes.name(link.aloud))
