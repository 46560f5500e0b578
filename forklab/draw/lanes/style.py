"""The looks of lanes in light, in dark and on paper: the colours of the palette, on bars instead of cards."""

from __future__ import annotations

from forklab.draw.measure import LABEL_SIZE, SMALL_SIZE, TITLE_SIZE
from forklab.draw.palette import LIGHT, Theme
from forklab.draw.stylesheet import style_sheet, whole_on_paper
from forklab.history import State

NAME_SIZE = 13
BAR_HEIGHT = 14
HATCH_DASH = (2, 4)  # along the bar: a stroke, a gap

_SHAPES = [
    f".title{{font-size:{TITLE_SIZE}px;font-weight:bold}}",
    f".name{{font-size:{NAME_SIZE}px;font-weight:bold}}",
    f".pid{{font-size:{SMALL_SIZE}px;text-anchor:end}}",
    f".label,.time{{font-size:{LABEL_SIZE}px}}",
    ".again{font-weight:bold}",
    # A word keeps a rim of paper where a line passes behind it.
    ".label{paint-order:stroke;stroke-width:3px;stroke-linejoin:round}",
    ".guide{stroke-width:1px;stroke-dasharray:2 4}",
    ".axis{stroke-width:1.3px;fill:none}",
    ".edge{fill:none;stroke-width:1.3px}",
    ".edge.reaped{stroke-width:1px}",
    ".edge.sent{stroke-dasharray:4 3}",
    ".head{stroke:none}",
    ".dot,.sign{stroke-width:1.5px}",
    ".tick{stroke-width:1px;fill:none}",
    ".ring{fill:none;stroke-width:1.2px}",
    f".hatch{{fill:none;stroke-width:{BAR_HEIGHT}px;stroke-dasharray:{HATCH_DASH[0]} {HATCH_DASH[1]}}}",
    *(
        f".bar.{state}{{stroke-width:{look.width}px;"
        f"stroke-dasharray:{' '.join(map(str, look.dash)) or 'none'}}}"
        for state, look in LIGHT.states.items()
    ),
]


def _colors(theme: Theme) -> list[str]:
    zombie = theme.states[State.ZOMBIE]
    rules = [
        f".paper{{fill:{theme.paper}}}",
        f".title,.name{{fill:{theme.ink}}}",
        f".pid,.label,.time{{fill:{theme.muted}}}",
        f".label{{stroke:{theme.paper}}}",
        f".again{{fill:{theme.ink}}}",
        f".guide{{stroke:{theme.faint}}}",
        f".axis,.edge,.tick{{stroke:{theme.edge}}}",
        f".head{{fill:{theme.edge}}}",
        f".edge.reaped{{stroke:{theme.muted}}}",
        f".dot{{fill:{theme.muted};stroke:{theme.paper}}}",
        f".sign{{fill:{theme.paper};stroke:{theme.adopted}}}",
        f".label.adopted{{fill:{theme.adopted}}}",
        f".label.zombie{{fill:{zombie.line}}}",
        f".label.stopped{{fill:{theme.states[State.STOPPED].line}}}",
        f".label.waiting{{fill:{theme.states[State.WAITING].line}}}",
        f".hatch{{stroke:{zombie.border}}}",
        f".ring{{stroke:{theme.states[State.RUNNING].border}}}",
    ]
    for state, look in theme.states.items():
        # Whoever runs has a solid bar, whoever does not has a light one.
        fill = look.border if state is State.RUNNING else look.fill
        rules.append(f".bar.{state}{{fill:{fill};stroke:{look.border}}}")
    return rules


LANES_STYLE_SHEET = style_sheet(
    "forklab-lanes", _SHAPES, _colors, on_paper=[whole_on_paper("forklab-lanes")]
)
