"""The looks of units: a state looks like that of a process which is as far, everywhere in the house."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from forklab.draw.measure import LABEL_SIZE, SMALL_SIZE, TITLE_SIZE
from forklab.draw.palette import LIGHT, Theme
from forklab.draw.stylesheet import style_sheet, whole_on_paper
from forklab.history import State

NAME_SIZE = 13
# What systemctl says of a unit, and which process looks so.
LOOKS: Final[Mapping[str, State]] = {
    "active": State.RUNNING,
    "reloading": State.RUNNING,
    "activating": State.WAITING,
    "deactivating": State.STOPPED,
    "failed": State.ZOMBIE,
    "inactive": State.REAPED,
}

_SHAPES = [
    f".title{{font-size:{TITLE_SIZE}px;font-weight:bold}}",
    f".name{{font-size:{NAME_SIZE}px;font-weight:bold}}",
    f".words{{font-size:{SMALL_SIZE}px}}",
    f".label,.time{{font-size:{LABEL_SIZE}px}}",
    ".label{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}",
    ".guide{stroke-width:1px;stroke-dasharray:2 4}",
    ".axis{stroke-width:1.3px;fill:none}",
    ".edge{fill:none;stroke-width:1.4px}",
    ".edge.wants{stroke-dasharray:7 4}",
    ".edge.after{stroke-width:1.2px;stroke-dasharray:2 3}",
    ".edge.conflicts,.edge.cut{stroke-width:2px}",
    ".head{stroke:none}",
    ".box{stroke-linecap:round}",  # a dot is a dash of no length
    *(
        f".{look}{{stroke-width:{LIGHT.states[state].width}px;"
        f"stroke-dasharray:{' '.join(map(str, LIGHT.states[state].dash)) or 'none'}}}"
        for look, state in LOOKS.items()
    ),
]


def _colors(theme: Theme) -> list[str]:
    rules = [
        f".paper{{fill:{theme.paper}}}",
        f".title,.name{{fill:{theme.ink}}}",
        f".words,.label,.time{{fill:{theme.muted}}}",
        f".label{{stroke:{theme.paper}}}",
        f".guide{{stroke:{theme.faint}}}",
        f".axis,.edge{{stroke:{theme.edge}}}",
        f".edge.requires{{stroke:{theme.ink}}}",
        f".edge.conflicts,.edge.cut{{stroke:{theme.wrong}}}",
        f".head{{fill:{theme.edge}}}",
    ]
    for look, state in LOOKS.items():
        colors = theme.states[state]
        rules.append(f".{look}{{fill:{colors.fill};stroke:{colors.border}}}")
    return rules


UNITS_STYLE_SHEET = style_sheet(
    "forklab-units", _SHAPES, _colors, on_paper=[whole_on_paper("forklab-units")]
)
