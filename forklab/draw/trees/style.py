"""The looks of trees in light, in dark and on paper."""

from __future__ import annotations

from forklab.draw.measure import LABEL_SIZE, NAME_SIZE, SMALL_SIZE, TITLE_SIZE
from forklab.draw.palette import LIGHT, WRONG_WIDTH, Theme
from forklab.draw.stylesheet import style_sheet, whole_on_paper
from forklab.draw.trees.sizes import RING


def _colors(theme: Theme) -> list[str]:
    rules = [
        f".paper{{fill:{theme.paper}}}",
        f".title,.name{{fill:{theme.ink}}}",
        f".pid,.label{{fill:{theme.muted}}}",
        f".edge path{{stroke:{theme.edge}}}",
        f".edge .head{{fill:{theme.edge}}}",
        f".edge.adopted path{{stroke:{theme.adopted}}}",
        f".edge.adopted .head{{fill:{theme.adopted}}}",
        f".edge.former path{{stroke:{theme.faint}}}",
        f".reaped .name{{fill:{theme.muted}}}",
    ]
    for state, look in theme.states.items():
        rules += [
            f".{state} rect{{fill:{look.fill};stroke:{look.border}}}",
            f".{state} .bar{{fill:{look.border}}}",
            f".{state} .words{{fill:{look.line}}}",
        ]
    return [
        *rules,
        f".unexpected rect{{stroke:{theme.wrong}}}",
        f".unexpected .badge{{fill:{theme.wrong}}}",
        f".unexpected .badge-words{{fill:{theme.on_wrong}}}",
    ]


def _shapes() -> list[str]:
    """The rules that say the same in light and in dark: everything but colour."""
    rules = [
        f".title{{font-size:{TITLE_SIZE}px;font-weight:bold}}",
        f".name{{font-size:{NAME_SIZE}px;font-weight:bold}}",
        f".pid,.words,.badge-words{{font-size:{SMALL_SIZE}px}}",
        ".badge-words{font-weight:bold}",
        f".label{{font-size:{LABEL_SIZE}px}}",
        ".pid,.before{text-anchor:end}",
        ".edge path{fill:none;stroke-width:1.3px}",
        ".edge .head{stroke:none}",
        ".edge.adopted path{stroke-width:1.7px}",
        ".edge.former path{stroke-width:1.6px;stroke-dasharray:0 5;stroke-linecap:round}",
        ".edge.reaped path{stroke-width:1.6px;stroke-dasharray:0 4.5;stroke-linecap:round}",
        ".edge .head{stroke-dasharray:none}",
        ".bar,.badge{stroke:none}",
    ]
    for state, look in LIGHT.states.items():
        dash = " ".join(map(str, look.dash)) or "none"
        cap = "round" if look.dotted else "butt"
        rules += [
            f".{state} .shape,.{state} .ring{{stroke-width:{look.width}px}}",
            f".{state} .shape,.{state} .ring{{stroke-dasharray:{dash};stroke-linecap:{cap}}}",
            f".{state} .shape{{rx:{look.corner}px}}",
            f".{state} .ring{{rx:{look.corner and look.corner + RING}px}}",
        ]
        if not look.bar:
            rules.append(f".{state} .bar{{display:none}}")
    return [
        *rules,
        f".unexpected .shape{{stroke-width:{WRONG_WIDTH}px}}",
    ]


# On a narrow screen the picture scrolls inside its frame (`scrolling`), the page does not.
STYLE_SHEET = ".forklab-picture{overflow-x:auto;max-width:100%}\n" + style_sheet(
    "forklab-tree",
    _shapes(),
    _colors,
    on_paper=[whole_on_paper("forklab-tree"), ".forklab-picture{overflow:visible}"],
)
