"""The looks of trees in light, in dark and on paper."""

from __future__ import annotations

from forklab.draw.palette import DARK, FONTS, LIGHT, WRONG_WIDTH, Theme


def _rules(theme: Theme) -> list[str]:
    """The rules that differ between light and dark."""
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
        ".title{font-size:14px;font-weight:bold}",
        ".name{font-size:15px;font-weight:bold}",
        ".pid,.words,.badge-words{font-size:12px}",
        ".badge-words{font-weight:bold}",
        ".label{font-size:11px}",
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
            f".{state} .ring{{rx:{look.corner and look.corner + 4}px}}",
        ]
        if not look.bar:
            rules.append(f".{state} .bar{{display:none}}")
    return [
        *rules,
        f".unexpected .shape{{stroke-width:{WRONG_WIDTH}px}}",
    ]


def _scoped(rules: list[str]) -> str:
    """The rules, for pictures of ours alone: a page may have classes of the same names."""
    scoped = []
    for rule in rules:
        selectors, body = rule.split("{", 1)
        scoped.append(",".join(f".forklab-tree {s}" for s in selectors.split(",")) + "{" + body)
    return "\n".join(scoped)


# On a narrow screen the picture scrolls inside its frame (`scrolling`), the page does not. Paper is
# always light.
STYLE_SHEET = f"""\
.forklab-picture{{overflow-x:auto;max-width:100%}}
.forklab-tree{{font-family:{FONTS};max-width:none}}
{_scoped(_shapes())}
{_scoped(_rules(LIGHT))}
@media screen and (prefers-color-scheme:dark){{
{_scoped(_rules(DARK))}
}}
@media print{{
.forklab-tree{{print-color-adjust:exact;max-width:100%;height:auto}}
.forklab-picture{{overflow:visible}}
}}
"""
