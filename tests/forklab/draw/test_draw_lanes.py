"""Lanes: who is what how long, read from left to right, without a word on top of another."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree as ET

import pytest
from any_history import histories
from hypothesis import given
from test_draw_palette import contrast

from forklab.draw.chronology import seconds
from forklab.draw.lanes.picture import lanes_svg
from forklab.draw.lanes.places import FAR, GAP, STEP, Places, places
from forklab.draw.lanes.spans import spans
from forklab.draw.lanes.style import LANES_STYLE_SHEET
from forklab.draw.palette import DARK, LIGHT
from forklab.draw.scrolling import scrolling
from forklab.history import History, HistoryBuilder, Process, State

SVG = "{http://www.w3.org/2000/svg}"


def zombie(second: float = 10, last: float = 100) -> History:
    """P forks P.1, which exits 3 long before P does; init adopts it and reaps both."""
    builder = HistoryBuilder()
    builder.start(Process("init", 1, None, reaper=True), 0)
    builder.fork(Process("P", 1000, "init"), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("exit", "P.1", second, status=3)
    builder.add("exit", "P", last, status=0)
    builder.add("reparented", "P.1", last, old="P", new="init")
    builder.add("reaped", "P.1", last, by="init", status=3)
    builder.add("reaped", "P", last, by="init", status=0)
    return builder.history


def signals() -> History:
    """P waits for a child that is stopped, continued and killed, and is reaped by somebody unknown."""
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("exec", "P.1", 0, argv=("/usr/bin/sleep", "1000"))
    builder.add("sends", "P", 1, signal="SIGSTOP", to="P.1")
    builder.add("signal", "P.1", 1, signal="SIGSTOP", sender="P")
    builder.add("stopped", "P.1", 1, signal="SIGSTOP")
    builder.add("waits", "P", 1, child="P.1")
    builder.add("continued", "P.1", 2)
    builder.add("signal", "P.1", 2, signal="SIGUSR1")
    builder.add("output", "P.1", 2, text="here\n")
    builder.add("killed", "P.1", 3, signal="SIGKILL")
    builder.add("reaped", "P.1", 3, by="P", status=-9)
    builder.add("exit", "P", 3, status=0)
    builder.add("reaped", "P", 3, by="shell", status=0)
    return builder.history


def unwanted() -> History:
    """P ignores SIGCHLD and waits."""
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    builder.fork(Process("P.1", 1001, "P"), 0)
    builder.add("waits", "P", 0)
    builder.add("exit", "P.1", 1, status=3)
    builder.add("reaped", "P.1", 1, by="kernel", status=3)
    builder.add("exit", "P", 2, status=0)
    return builder.history


def test_whom_the_kernel_collects_it_says_so_and_nobody_else():
    shown = lanes_svg(unwanted())
    assert "collected by the kernel" in shown
    assert "P.1, pid 1001, child of P: at 0 s starts, at 1 s exits 3 and is a zombie" in shown
    assert "is collected by the kernel" in shown
    assert "reaps" not in shown


def crowd(children: int = 60, events: int = 300) -> History:
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for number in range(1, children):
        builder.fork(Process(f"P.{number}", 1000 + number, "P"), number)
    for number in range(events - children):
        builder.add("output", f"P.{1 + number % (children - 1)}", children + number, text="hi")
    return builder.history


def lanes_of(svg: str) -> dict[str, ET.Element]:
    groups = ET.fromstring(svg).iter(f"{SVG}g")
    return {g.attrib["data-process"]: g for g in groups if "data-process" in g.attrib}


def bars_of(svg: str) -> dict[str, list[str]]:
    """The states that each lane shows, from the left."""
    return {
        name: [bar.attrib["class"].removeprefix("bar ") for bar in _of_class(lane, "bar")]
        for name, lane in lanes_of(svg).items()
    }


def labels_of(svg: str) -> dict[str, list[str]]:
    return {
        name: [label.text or "" for label in _of_class(lane, "label")]
        for name, lane in lanes_of(svg).items()
    }


def _of_class(element: ET.Element, name: str) -> list[ET.Element]:
    return [e for e in element.iter() if name in e.attrib.get("class", "").split()]


def test_each_lane_shows_its_states_until_it_is_reaped():
    assert bars_of(lanes_svg(zombie())) == {
        "init": ["running"],
        "P": ["running", "zombie"],
        "P.1": ["running", "zombie"],
    }
    assert bars_of(lanes_svg(signals())) == {
        "P": ["running", "waiting", "running", "zombie"],
        "P.1": ["running", "stopped", "running", "zombie"],
    }


def test_each_event_has_its_words():
    assert labels_of(lanes_svg(zombie())) == {
        "init": [],
        "P": ["exited 0"],
        "P.1": ["exited 3", "adopted by init"],
    }
    assert labels_of(lanes_svg(signals())) == {
        "P": ["sends SIGSTOP", "waits for P.1", "exited 0", "reaped by shell"],
        "P.1": [
            *("exec sleep", "stopped by SIGSTOP", "continued", "gets SIGUSR1", "“here”"),
            "killed by SIGKILL",
        ],
    }


def test_only_zombies_are_hatched_and_only_reapers_have_a_second_line():
    lanes = lanes_of(lanes_svg(zombie()))
    assert [name for name, lane in lanes.items() if _of_class(lane, "hatch")] == ["P", "P.1"]
    assert [name for name, lane in lanes.items() if _of_class(lane, "ring")] == ["init"]


def test_an_adoption_has_a_sign_in_the_lane_of_the_orphan():
    lanes = lanes_of(lanes_svg(zombie()))
    assert [name for name, lane in lanes.items() if _of_class(lane, "sign")] == ["P.1"]


def test_a_fork_leads_to_the_start_of_the_child_and_a_reaping_from_its_end_to_the_reaper():
    placed = places(zombie(), left=100)
    bars = {
        name: [s for s in placed.stretches if placed.order[s.lane].name == name]
        for name in ("P", "P.1")
    }
    links = {
        (link.kind, placed.order[link.tail].name, placed.order[link.head].name): link.x
        for link in placed.links
    }
    assert links == {
        ("fork", "init", "P"): bars["P"][0].start,
        ("fork", "P", "P.1"): bars["P.1"][0].start,
        ("reaped", "P.1", "init"): bars["P.1"][-1].end,
        ("reaped", "P", "init"): bars["P"][-1].end,
    }


def test_a_reaping_ends_in_a_dot_on_the_bar_of_the_reaper():
    svg = lanes_svg(zombie())
    root = ET.fromstring(svg)
    (bar,) = _of_class(lanes_of(svg)["init"], "bar")
    top, height = int(bar.attrib["y"]), int(bar.attrib["height"])
    dots = _of_class(root, "dot")
    assert len(dots) == 2
    assert {int(dot.attrib["cy"]) for dot in dots} == {top + height // 2}


def test_children_are_below_their_parent_in_order_of_birth():
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    for child, parent in [("P.1", "P"), ("P.2", "P"), ("P.1.1", "P.1"), ("P.3", "P")]:
        builder.fork(Process(child, 1001, parent), 0)
    builder.start(Process("Q", 1, "somebody else"), 0)
    assert list(lanes_of(lanes_svg(builder.history))) == ["P", "P.1", "P.1.1", "P.2", "P.3", "Q"]


def test_the_axis_says_each_time_once_and_that_it_is_not_to_scale():
    root = ET.fromstring(lanes_svg(zombie()))
    times = [time.text for time in _of_class(root, "time")]
    assert times == ["0 s", "10 s", "100 s", "time, not to scale"]


def test_how_long_a_sleep_takes_does_not_change_the_picture():
    short, long = (places(zombie(*times), left=100) for times in [(10, 20), (1000, 90000)])
    assert short.stretches == long.stretches


def test_a_sleep_is_wider_than_no_time_at_all():
    at_once, later = (places(zombie(*times), left=100) for times in [(0, 0), (10, 100)])
    assert later.width > at_once.width


@pytest.mark.parametrize(
    ("t", "words"),
    [(0, "0 s"), (100.0, "100 s"), (0.25, "0.25 s"), (0.0001, "0 s"), (-0.0001, "0 s")],
)
def test_times_are_said_without_needless_digits(t, words):
    assert seconds(t) == words


@given(histories())
def test_the_bars_are_what_the_trees_of_the_history_say(history: History):
    shown = {
        (span.name, number): span.state
        for span in spans(history)
        for number in range(span.first, len(history.events) if span.last is None else span.last)
    }
    assert shown == {
        (node.name, number): node.state
        for number in range(len(history.events))
        for node in history.tree(number)
        if node.state is not State.REAPED
    }


@given(histories())
def test_no_words_touch_others_or_are_struck_through(history: History):
    placed = places(history, left=100)
    for lane in range(len(placed.order)):
        row = [words for words in placed.words if words.lane == lane]
        assert all(a.end < b.x for a, b in itertools.pairwise(row))
        for link in placed.links:
            upper, lower = sorted((link.tail, link.head))
            if upper < lane <= lower:
                assert not any(words.x <= link.x <= words.end for words in row)
    assert all(a.end + GAP <= b.x for a, b in itertools.pairwise(placed.ticks))


@given(histories())
def test_everything_is_inside_the_picture_and_in_a_column_of_its_own(history: History):
    placed = places(history, left=100)
    ends = [thing.end for thing in (*placed.words, *placed.ticks, *placed.stretches)]
    assert max(ends, default=0) <= placed.width
    assert all(stretch.end - stretch.start >= STEP for stretch in placed.stretches)


@given(histories(most=12))
def test_any_history_is_well_formed_and_always_the_same(history: History):
    svg = lanes_svg(history, "<a & b>")
    assert lanes_svg(history, "<a & b>") == svg
    root = ET.fromstring(svg)
    assert len([g for g in root.iter(f"{SVG}g") if "data-process" in g.attrib]) == len(
        places(history, left=0).order
    )
    assert [title.text for title in _of_class(root, "title")] == ["<a & b>"]


def test_a_hostile_name_is_only_a_name():
    name = "</text><script>alert(1)</script>\x00\"'"
    builder = HistoryBuilder()
    builder.start(Process(name, 1, None), 0)
    builder.add("output", name, 0, text="]]><!-- \x1b[31m")
    builder.add("exec", name, 0, argv=("/bin/<b>",))
    root = ET.fromstring(lanes_svg(builder.history, name))
    assert not list(root.iter(f"{SVG}script"))
    assert "exec <b>" in [label.text for label in _of_class(root, "label")]


def test_an_empty_history_says_so():
    root = ET.fromstring(lanes_svg(History()))
    assert root.attrib["aria-label"] == "No process."
    assert [time.text for time in _of_class(root, "time")] == ["no process"]


def test_a_process_alone_has_a_bar():
    builder = HistoryBuilder()
    builder.start(Process("P", 1000, None), 0)
    assert bars_of(lanes_svg(builder.history)) == {"P": ["running"]}


def test_a_crowd_has_all_its_lanes_and_scrolls_in_a_frame():
    history = crowd()
    svg = lanes_svg(history, styled=False)
    assert list(lanes_of(svg)) == [process.name for process in history.processes]
    ET.fromstring(scrolling(svg, "sixty processes"))


def test_whoever_is_born_far_to_the_right_has_its_name_there_too():
    placed: Places = places(crowd(), left=100)
    again = {words.text for words in placed.words if words.look == "again"}
    late = {link.x: placed.order[link.head].name for link in placed.links if link.kind == "fork"}
    assert again == {name for x, name in late.items() if x > 100 + FAR}
    assert again


def test_a_pointer_that_rests_on_a_lane_learns_whose_it_is():
    lanes = lanes_of(lanes_svg(crowd()))
    assert {name: lane.findtext(f"{SVG}title") for name, lane in lanes.items()} == {
        name: name for name in lanes
    }


def test_a_screen_reader_tells_the_story_lane_by_lane():
    assert ET.fromstring(lanes_svg(zombie())).attrib["aria-label"] == (
        "Lanes of 3 processes; time runs to the right, not to scale."
        " init, pid 1: at 0 s starts, forks P, at 100 s reaps P.1, reaps P."
        " P, pid 1000, child of init: at 0 s starts, forks P.1, at 100 s exits 0 and is a zombie,"
        " is reaped by init."
        " P.1, pid 1001, child of P: at 0 s starts, at 10 s exits 3 and is a zombie,"
        " at 100 s is adopted by init, is reaped by init."
    )


def test_many_pictures_can_stand_on_one_page():
    for history in (zombie(), signals(), crowd()):
        svg = lanes_svg(history, styled=False)
        assert not re.search(r"""\sid=|url\(|href|<style|<\?xml""", svg)


def test_a_picture_that_stands_alone_has_the_style_sheet_in_it():
    styles = list(ET.fromstring(lanes_svg(zombie())).iter(f"{SVG}style"))
    assert [(style.text or "").strip() for style in styles] == [LANES_STYLE_SHEET.strip()]


def test_the_style_sheet_knows_every_class_and_touches_nothing_else_on_the_page():
    used = {
        name
        for history in (zombie(), signals(), crowd())
        for element in ET.fromstring(lanes_svg(history, styled=False)).iter()
        for name in element.attrib.get("class", "").split()
    }
    known = set(re.findall(r"\.([a-z][a-z-]*)", LANES_STYLE_SHEET))
    groups = {"lane", "reaper", "fork"}  # for others to select by
    assert used - known <= groups
    selectors = re.findall(r"^([^@}].*?)\{", LANES_STYLE_SHEET, re.MULTILINE)
    assert all(s.startswith(".forklab-lanes") for line in selectors for s in line.split(","))


def test_something_that_happens_to_nobody_is_refused():
    builder = HistoryBuilder()
    builder.add("exit", "P", 0, status=0)
    with pytest.raises(KeyError):
        lanes_svg(builder.history)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_word_stands_out_from_the_paper(theme):
    said = [State.ZOMBIE, State.STOPPED, State.WAITING]
    colors = [theme.ink, theme.muted, theme.adopted, *(theme.states[s].line for s in said)]
    assert {c: contrast(c, theme.paper) for c in colors if contrast(c, theme.paper) < 4.5} == {}


def test_who_does_not_run_has_a_light_bar_and_who_runs_a_solid_one():
    for look in (LIGHT.states[state] for state in (State.WAITING, State.STOPPED, State.ZOMBIE)):
        assert f"{{fill:{look.fill};stroke:{look.border}}}" in LANES_STYLE_SHEET
    running = LIGHT.states[State.RUNNING].border
    assert f".bar.running{{fill:{running};stroke:{running}}}" in LANES_STYLE_SHEET
