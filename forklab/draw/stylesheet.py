"""A style sheet for one kind of picture, in light and in dark; paper is always light.

A page may have classes of the same names: so each rule is for our pictures alone.
"""

from __future__ import annotations

import re
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
    return _scoped_by(f".{kind}", rules)


def _scoped_by(ancestor: str, rules: Iterable[str]) -> Iterable[str]:
    for rule in rules:
        selectors, body = rule.strip().split("{", 1)
        yield ",".join(f"{ancestor} {selector}" for selector in selectors.split(",")) + "{" + body


_DARK_RULES = re.compile(
    r"@media screen and \(prefers-color-scheme:dark\)\{\n((?:[^{}]+\{[^{}]*\}\n?)*)\}"
)


def following_the_page(html: str) -> str:
    """The dark rules of all style sheets in it hold inside [data-forklab-theme=dark], and not where the system is dark.

    For pages with a theme of their own, as JupyterLab is: a script there says which it is.
    """
    return _DARK_RULES.sub(lambda found: "@media screen{\n" + _themed(found[1]) + "}", html)


def _themed(rules: str) -> str:
    scoped = _scoped_by("[data-forklab-theme=dark]", re.findall(r"[^{}]+\{[^{}]*\}", rules))
    return "".join(f"{rule}\n" for rule in scoped)


def with_what_it_wears(svg: str) -> str:
    """A picture that stands alone, and of its style sheet only the rules for classes that are in it: about half."""
    worn = set(" ".join(re.findall(r'class="([^"]*)"', svg)).split())

    def of_use(rule: str) -> bool:
        selectors = rule.partition("{")[0].split(",")
        classes = [re.findall(r"\.([\w-]+)", selector) for selector in selectors]
        return rule.startswith(("@", "}")) or any(map(worn.issuperset, classes))

    before, opening, rest = svg.partition("<style>\n")
    sheet, closing, after = rest.partition("</style>")
    rules = filter(of_use, sheet.splitlines(keepends=True))
    return "".join((before, opening, *rules, closing, after))
