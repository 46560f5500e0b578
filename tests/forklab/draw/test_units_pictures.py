"""Pictures of units: their graph, and a start-up in time."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from forklab.draw.units.graph import Tie, UnitBox, units_dot, units_svg
from forklab.draw.units.timeline import Phase, Row, timeline_svg

BOXES = [UnitBox("web.service", "active (running)", "active"), UnitBox('odd "<&>.service')]
TIES = [Tie(kind, "web.service", 'odd "<&>.service') for kind in ("Requires", "After", "Conflicts")]


def test_the_graph_has_every_unit_and_every_tie() -> None:
    tree = ElementTree.fromstring(units_svg(BOXES, TIES, "who needs whom"))
    words = [text.text for text in tree.iter("{http://www.w3.org/2000/svg}text")]
    assert {"web.service", 'odd "<&>.service', "active (running)", "Conflicts="} <= set(words)
    looks = [path.get("class") for path in tree.iter("{http://www.w3.org/2000/svg}path")]
    assert [f"edge {look}" in looks for look in ("requires", "after", "conflicts")] == [True] * 3
    assert "web.service: Requires=odd" in tree.get("aria-label", "")


def test_an_edge_that_was_cut_is_red_and_says_so() -> None:
    ties = [Tie("After", "web.service", 'odd "<&>.service', cut=True)]
    svg = units_svg(BOXES, ties)
    assert 'class="edge after cut"' in svg and ">cut</text>" in svg and "red: cut" in svg
    assert "cut" not in units_svg(BOXES, TIES).partition("</style>")[2]
    assert 'label="After, cut" color=red' in units_dot(BOXES, ties)


def test_dot_is_for_programs_that_read_it() -> None:
    assert '"web.service" -> "odd \\"<&>.service" [label=Requires' in units_dot(BOXES, TIES)


def test_no_units_are_a_picture_too() -> None:
    assert "No unit." in units_svg([], [])
    assert "No unit." in timeline_svg([])


def bars(svg: str) -> list[tuple[str, float, float]]:
    tree = ElementTree.fromstring(svg)
    return [
        (bar.get("class", ""), float(bar.get("x", "0")), float(bar.get("width", "0")))
        for bar in tree.iter("{http://www.w3.org/2000/svg}rect")
        if bar.get("class", "").startswith("bar")
    ]


def test_time_is_to_scale() -> None:
    rows = [
        Row("db", (Phase("activating", 0.0, 1.0), Phase("active", 1.0, 4.0))),
        Row("web", (Phase("active", 1.0, 4.0),)),
        Row("bad", (Phase("inactive", 0.0, 3.0), Phase("failed", 3.0, 4.0))),
    ]
    coming, up, web, bad = bars(timeline_svg(rows, "start-up"))
    assert [each[0] for each in (coming, up, web, bad)] == [
        "bar activating",
        "bar active",
        "bar active",
        "bar failed",
    ]
    assert coming[2] * 3 == up[2] == web[2]
    assert up[1] == web[1] == coming[1] + coming[2]
    assert "db: activating from 0 ms, active from 1 s." in timeline_svg(rows)


def test_the_legend_names_the_states_that_there_are() -> None:
    svg = timeline_svg([Row("db", (Phase("inactive", 0.0, 1.0), Phase("active", 1.0, 4.0)))])
    legend = svg.partition('class="legend"')[2]
    assert ">active<" in legend and "sample active" in legend and "inactive" not in legend


@pytest.mark.parametrize("end", [0.0004, 0.9, 7.0, 90.0, 86400.0])
def test_there_are_a_few_ticks_however_long_it_took(end: float) -> None:
    svg = timeline_svg([Row("db", (Phase("active", 0.0, end),))])
    assert 1 <= svg.count('class="time"') <= 10
