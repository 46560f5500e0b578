"""Legible in light and in dark, and without colour."""

from __future__ import annotations

import re

import pytest
from drawn_trees import ALL

from forklab.draw.palette import DARK, LIGHT
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.style import STYLE_SHEET
from forklab.history import State


def _luminance(color: str) -> float:
    """Relative luminance, WCAG 2."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])


@THEMES
def test_every_text_stands_out_from_what_it_stands_on(theme):
    pairs = [(theme.ink, theme.paper), (theme.muted, theme.paper), (theme.on_wrong, theme.wrong)]
    for look in theme.states.values():
        pairs += [(look.line, look.fill), (theme.ink, look.fill), (theme.muted, look.fill)]
    assert {pair: contrast(*pair) for pair in pairs if contrast(*pair) < 4.5} == {}


@THEMES
def test_every_outline_and_line_can_be_told_from_the_paper(theme):
    colors = [theme.edge, theme.adopted, theme.wrong]
    colors += [look.border for state, look in theme.states.items() if state is not State.REAPED]
    assert {c: contrast(c, theme.paper) for c in colors if contrast(c, theme.paper) < 3} == {}


@THEMES
def test_every_state_has_a_shape_of_its_own(theme):
    assert len({look.shape for look in theme.states.values()}) == len(State)


def test_shapes_are_the_same_in_light_and_in_dark():
    assert {s: look.shape for s, look in LIGHT.states.items()} == {
        s: look.shape for s, look in DARK.states.items()
    }


def test_the_style_sheet_knows_every_class_that_a_picture_has():
    pictures = [tree_svg(*what, styled=False) for what in ALL.values()] + [legend_svg(styled=False)]
    used = {
        name
        for svg in pictures
        for names in re.findall(r'class="([^"]+)"', svg)
        for name in names.split()
    }
    known = set(re.findall(r"\.([a-z][a-z-]*)", STYLE_SHEET))
    told_by_shape_alone = {"node", "fork", "reaper", "pile"}
    assert used - known == told_by_shape_alone


def test_the_style_sheet_touches_nothing_but_our_pictures():
    without_media = re.sub(r"@media[^{]*\{", "", STYLE_SHEET)
    selectors = [s for s in re.split(r"[,\n}]+", re.sub(r"\{[^}]*\}", ",", without_media)) if s]
    assert len(selectors) > 50
    assert [s for s in selectors if not s.startswith((".forklab-tree", ".forklab-picture"))] == []
