"""The looks of a process graph in light and in dark."""

from __future__ import annotations

from forklab.draw.measure import LABEL_SIZE, NAME_SIZE, TITLE_SIZE
from forklab.draw.palette import Theme
from forklab.draw.stylesheet import style_sheet

_SHAPES = [
    f".title{{font-size:{TITLE_SIZE}px}}",
    f".name{{font-size:{NAME_SIZE}px}}",
    # A word keeps a rim of paper where a line passes behind it.
    f".written,.label{{font-size:{LABEL_SIZE}px;text-anchor:middle;paint-order:stroke;"
    "stroke-width:3px;stroke-linejoin:round}",
    ".edge{fill:none;stroke-width:1.3px}",
    ".dot{stroke-width:1.5px}",
]


def _colors(theme: Theme) -> list[str]:
    return [
        f".paper{{fill:{theme.paper}}}",
        f".title,.name{{fill:{theme.ink};font-weight:bold}}",
        f".written{{fill:{theme.ink};font-weight:bold}}",
        f".label{{fill:{theme.muted}}}",
        f".written,.label{{stroke:{theme.paper}}}",
        f".edge{{stroke:{theme.edge}}}",
        f".head{{fill:{theme.edge}}}",
        f".dot{{fill:{theme.adopted};stroke:{theme.adopted}}}",
        f".dot.maybe{{fill:{theme.paper}}}",
    ]


GRAPH_STYLE_SHEET = style_sheet("forklab-order", _SHAPES, _colors)
