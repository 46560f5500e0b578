"""A style sheet for one kind of picture, in light and in dark; paper is always light.

A page may have classes of the same names: so each rule is for our pictures alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from forklab.draw.palette import DARK, FONTS, LIGHT, Theme


def style_sheet(
    kind: str,
    shapes: Iterable[str],
    colors: Callable[[Theme], Iterable[str]],
    *,
    on_paper: Iterable[str] = (),
) -> str:
    """The rules `shapes` and `colors` inside pictures of the class `kind`; those `on_paper` as they are."""
    parts = [
        f".{kind}{{font-family:{FONTS};max-width:none}}",
        *_scoped(kind, shapes),
        *_scoped(kind, colors(LIGHT)),
        "@media screen and (prefers-color-scheme:dark){",
        *_scoped(kind, colors(DARK)),
        "}",
    ]
    if on_paper:
        parts += ["@media print{", *on_paper, "}"]
    return "\n".join(parts) + "\n"


def whole_on_paper(kind: str) -> str:
    """The rule that prints a picture in its colours, and as wide as the page at most."""
    return f".{kind}{{print-color-adjust:exact;max-width:100%;height:auto}}"


def _scoped(kind: str, rules: Iterable[str]) -> Iterable[str]:
    for rule in rules:
        selectors, body = rule.split("{", 1)
        yield ",".join(f".{kind} {selector}" for selector in selectors.split(",")) + "{" + body
