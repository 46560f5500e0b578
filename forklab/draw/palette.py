"""One meaning, one look, everywhere: the looks of states, and all colours, in light, dark and on paper.

Colour never carries a meaning alone: each state has corners, a line or a bar of its own as well.
Pictures, films, lanes and reports take their colours from here. SVG pictures hold classes only;
a style sheet dresses them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from forklab.history import State

HUES = 6  # colours that tell the writers of output apart; the style sheets of films and outcomes have them
FONTS = 'Helvetica, Arial, "Liberation Sans", "DejaVu Sans", sans-serif'


@dataclass(frozen=True)
class Look:
    """How a state looks. Colours are #RRGGBB; `width`, `corner` (a radius) and `dash` are pixels.

    `line` also colours the words, so it has to be legible on `fill`; `border` does for the outline
    alone.
    """

    fill: str
    line: str
    border: str
    width: float
    corner: int
    dash: tuple[int, ...] = ()
    bar: bool = False  # a bar before the words: it cannot go on

    @property
    def dotted(self) -> bool:
        return self.dash[:1] == (0,)

    @property
    def shape(self) -> tuple[object, ...]:
        """What is left of the look when all colour is gone."""
        return self.corner, self.dash, self.bar


@dataclass(frozen=True)
class Theme:
    """The colours of everything that is not a state, and the looks of the states."""

    paper: str
    ink: str
    muted: str
    edge: str
    faint: str
    adopted: str
    wrong: str
    on_wrong: str
    states: Mapping[State, Look]


WRONG_WIDTH = 2.6  # of the outline of a process that is not as expected

LIGHT = Theme(
    paper="#FFFFFF",
    ink="#1F2933",
    muted="#56616E",
    edge="#8795A5",
    faint="#B8C1CC",
    adopted="#2B6CB0",
    wrong="#B3261E",
    on_wrong="#FFFFFF",
    states={
        State.RUNNING: Look("#E6F0FA", "#2B6CB0", "#2B6CB0", 1.4, 9),
        State.WAITING: Look("#FFF7DB", "#8F5606", "#A16207", 1.4, 9, bar=True),
        State.STOPPED: Look("#F0EAFB", "#6D4BB0", "#6D4BB0", 1.4, 9, (7, 4)),
        State.ZOMBIE: Look("#FDECEA", "#B3261E", "#B3261E", 1.6, 0, (7, 4)),
        State.REAPED: Look("#FFFFFF", "#56616E", "#B8C1CC", 1.6, 9, (0, 5)),
    },
)

DARK = Theme(
    paper="#11161C",
    ink="#E8EDF2",
    muted="#A9B4C0",
    edge="#75838F",
    faint="#55616D",
    adopted="#6FB1F0",
    wrong="#FF8A80",
    on_wrong="#2A0907",
    states={
        State.RUNNING: Look("#142B44", "#8CC3F7", "#6FB1F0", 1.4, 9),
        State.WAITING: Look("#362A08", "#F0CA5B", "#D9AE36", 1.4, 9, bar=True),
        State.STOPPED: Look("#2A2044", "#C9B3F7", "#B195F0", 1.4, 9, (7, 4)),
        State.ZOMBIE: Look("#401816", "#FFB0A8", "#FF8A80", 1.6, 0, (7, 4)),
        State.REAPED: Look("#11161C", "#A9B4C0", "#6A7783", 1.6, 9, (0, 5)),
    },
)
