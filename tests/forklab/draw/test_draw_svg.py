"""Pictures: what is in them, whether they can be read, and where they can stand."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from drawn_trees import (
    ALL,
    ANY_TEXT,
    EXPECTED,
    EXPECTED_REMARKS,
    MIXED,
    MIXED_REMARKS,
    OBSERVED,
    OBSERVED_REMARKS,
    TWENTY_ORPHANS,
    trees,
)
from hypothesis import given

from forklab.draw import measure
from forklab.draw.scrolling import scrolling
from forklab.draw.trees.cards import Kinship
from forklab.draw.trees.dot import bare, tree_dot
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.plan import WIDE, plan
from forklab.draw.trees.render import layout
from forklab.draw.trees.style import STYLE_SHEET
from forklab.draw.trees.text import alt_text
from forklab.history import Node, Remark, State, Tree

SVG = "{http://www.w3.org/2000/svg}"
EVERY_TREE = pytest.mark.parametrize(("tree", "remarks"), ALL.values(), ids=ALL)


def classes_of(svg: str) -> dict[str, set[str]]:
    """The classes of each process in the picture."""
    nodes = (g for g in ET.fromstring(svg).iter(f"{SVG}g") if "data-process" in g.attrib)
    return {g.attrib["data-process"]: set(g.attrib["class"].split()) for g in nodes}


def edges_of(tree: Tree, **how) -> set[tuple[str, str, str]]:
    planned = plan(tree, **how)
    name = [b.card.name for b in planned.boxes]
    return {
        (name[line.tail], name[line.head], line.classes.removeprefix("edge "))
        for line in planned.lines
    }


def texts_of(svg: str, name: str) -> list[str]:
    return [
        t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text") if t.attrib["class"] == name
    ]


def test_the_mixed_tree_shows_one_of_each():
    svg = tree_svg(MIXED, MIXED_REMARKS)
    assert classes_of(svg) == {
        "init": {"node", "waiting", "reaper"},
        "main": {"node", "running"},
        "worker": {"node", "zombie"},
        "logger": {"node", "stopped"},
        "helper": {"node", "reaped"},
        "child": {"node", "running"},
    }
    assert edges_of(MIXED) == {
        ("init", "main", "fork"),
        ("main", "worker", "fork"),
        ("main", "logger", "fork"),
        ("main", "helper", "fork reaped"),
        ("init", "child", "adopted"),
        ("worker", "child", "former"),
    }
    assert texts_of(svg, "label") + texts_of(svg, "label before") == ["adopted"]
    assert texts_of(svg, "pid") == ["1", "1000", "1001", "1003", "1004", "1002"]


def test_expected_and_observed_differ_in_what_went_wrong():
    expected = classes_of(tree_svg(EXPECTED, EXPECTED_REMARKS))
    picture = tree_svg(OBSERVED, OBSERVED_REMARKS)
    observed = classes_of(picture)
    assert expected.pop("child") == {"node", "reaped"}
    assert observed.pop("child") == {"node", "zombie", "unexpected"}
    assert expected == observed
    assert texts_of(picture, "badge-words") == ["≠ should be reaped by init"]


def test_a_reaper_has_a_ring_and_a_waiting_process_a_bar():
    for name, attribute in (("ring", "reaper"), ("bar", "waiting")):
        for g in ET.fromstring(tree_svg(MIXED, MIXED_REMARKS)).iter(f"{SVG}g"):
            if "data-process" in g.attrib:
                has = any(r.attrib["class"] == name for r in g.iter(f"{SVG}rect"))
                assert has is (attribute in g.attrib["class"].split())


@EVERY_TREE
def test_no_card_lies_on_another_and_none_outside(tree, remarks):
    planned = plan(tree, remarks)
    places = layout(bare(planned).source)
    spots = [(places.nodes[f"n{b.card.number}"], b) for b in planned.boxes]
    for ((x, y), one), ((u, v), other) in itertools.combinations(spots, 2):
        beside = abs(x - u) >= (one.outer_width + other.outer_width) / 2 - 0.2
        below = abs(y - v) >= (one.outer_height + other.outer_height) / 2 - 0.2
        assert beside or below, (one.card.name, other.card.name)
    for (x, y), b in spots:
        assert b.outer_width / 2 - 0.2 <= x <= places.width - b.outer_width / 2 + 0.2
        assert b.outer_height / 2 - 0.2 <= y <= places.height - b.outer_height / 2 + 0.2


@EVERY_TREE
def test_thirty_processes_fit_the_width_of_a_screen(tree, remarks):
    assert float(ET.fromstring(tree_svg(tree, remarks)).attrib["width"]) <= 1000


@EVERY_TREE
def test_siblings_stand_in_order_of_birth(tree, remarks):
    planned = plan(tree, remarks, crowded=1000)
    places = layout(bare(planned).source)
    for parent in planned.boxes:
        across = [
            places.nodes[f"n{b.card.number}"][planned.sideways]
            for b in planned.boxes
            if b.card.parent == parent.card.number
        ]
        assert across == sorted(across)


def test_the_ring_of_a_reaper_fills_its_place_and_no_more():
    tree = Tree((Node("init", 1, None, State.RUNNING, reaper=True),))
    places = layout(bare(plan(tree)).source)
    (card,) = (
        g for g in ET.fromstring(tree_svg(tree)).iter(f"{SVG}g") if "data-process" in g.attrib
    )
    (ring,) = (r for r in card.iter(f"{SVG}rect") if r.attrib["class"] == "ring")
    left, top = map(float, re.findall(r"[\d.]+", card.attrib["transform"]))
    assert (left + float(ring.attrib["x"]), top + float(ring.attrib["y"])) == (0, 0)
    size = (float(ring.attrib["width"]), float(ring.attrib["height"]))
    assert size == (places.width, places.height)


def test_the_word_at_an_edge_does_not_stick_out_beyond_its_card():
    tree = Tree((Node("o", 2, None, State.RUNNING, former=("gone",)),))
    (b,) = plan(tree, {"o": Remark(words="")}).boxes
    assert b.width / 2 > measure.text_width("adopted", measure.LABEL_SIZE) + 8


def test_a_former_parent_that_nobody_knows_has_no_line():
    tree = Tree((Node("orphan", 2, "init", State.RUNNING, former=("gone",)),))
    assert edges_of(tree) == set()
    assert texts_of(tree_svg(tree), "words") == ["running · adopted from gone"]


def test_a_tree_that_is_too_wide_grows_to_the_right():
    assert not plan(MIXED).sideways
    planned = plan(ALL["crowd"][0])
    assert planned.sideways
    hanging = layout(bare(plan(ALL["crowd"][0], sideways=False)).source)
    assert hanging.width > WIDE


@EVERY_TREE
def test_a_picture_can_stand_on_a_page_many_times(tree, remarks):
    svg = tree_svg(tree, remarks, "a <title> & more", styled=False)
    assert svg.startswith("<svg ")
    root = ET.fromstring(svg)
    assert not [e for e in root.iter() if "id" in e.attrib or e.tag == f"{SVG}style"]
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == alt_text(tree, remarks)
    assert root.findtext(f"{SVG}title") == "a <title> & more"
    assert svg.replace("\n", "") in scrolling(svg).replace("\n", "")


def test_a_picture_brings_its_style_along_when_it_stands_alone():
    root = ET.fromstring(tree_svg(MIXED))
    assert (root.findtext(f"{SVG}style") or "").strip() == STYLE_SHEET.strip()


def test_a_pile_shows_cards_below_its_first():
    (pile,) = (
        g
        for g in ET.fromstring(tree_svg(TWENTY_ORPHANS)).iter(f"{SVG}g")
        if g.attrib.get("data-process") == "g1..g20"
    )
    shapes = [r for r in pile.iter(f"{SVG}rect") if r.attrib["class"] == "shape"]
    assert len({(r.attrib.get("x"), r.attrib.get("y")) for r in shapes}) == 3


@given(ANY_TEXT, ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_no_text_breaks_a_picture(name, line, badge, title):
    tree = Tree((Node("init", 1, None, State.RUNNING), Node(name + "!", 2, "init", State.ZOMBIE)))
    remarks = {name + "!": Remark(words=line, unexpected=badge)}
    svg = tree_svg(tree, remarks, title)
    assert len(classes_of(svg)) == 2
    svg.encode()
    tree_dot(tree, remarks, title).source.encode()


@given(trees())
def test_any_tree_can_be_drawn_with_a_line_to_every_child(tree):
    planned = plan(tree)
    kin = [line for line in planned.lines if line.kind is not Kinship.FORMER]
    assert len(kin) == len(planned.boxes) - 1
    assert len(classes_of(tree_svg(tree))) == len(planned.boxes)


def test_the_legend_shows_every_look():
    svg = legend_svg()
    shown = set().union(*classes_of(svg).values())
    assert shown == {"node", "reaper", "unexpected", *map(str, State)}
    assert {"edge fork", "edge adopted", "edge former", "edge fork reaped"} == set(
        re.findall(r'class="(edge [a-z ]+)"', svg)
    )


def test_the_complete_graph_has_the_same_classes_for_those_who_use_dot():
    source = tree_dot(MIXED, MIXED_REMARKS).source
    for name in (
        "waiting reaper",
        "running",
        "zombie",
        "stopped",
        "reaped",
        "fork",
        "adopted",
        "former",
    ):
        assert re.search(rf'class="?{name}"?[ \]]', source), name
    assert source.count("peripheries=2") == 1
