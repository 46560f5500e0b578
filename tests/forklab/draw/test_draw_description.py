"""What a picture says of a process, in one line."""

from __future__ import annotations

import pytest
from drawn_trees import ANY_TEXT, EXPECTED, MIXED, OBSERVED, OBSERVED_REMARKS, nodes
from hypothesis import given

from forklab.draw.characters import single_line
from forklab.draw.trees.description import words
from forklab.history import Node, Remark, State


@pytest.mark.parametrize(
    ("node", "line"),
    [
        (MIXED["main"], "running"),
        (MIXED["child"], "running · adopted from worker"),
        (MIXED["worker"], "zombie · exited 3 · main has not waited"),
        (MIXED["logger"], "stopped by SIGTSTP"),
        (MIXED["helper"], "exited 0 · reaped by main"),
        (EXPECTED["child"], "exited 0 · reaped by init"),
        (
            Node("w", 1, "init", State.REAPED, signal="SIGKILL", reaped_by="init"),
            "killed by SIGKILL · reaped by init",
        ),
        (
            Node("w", 1, "main", State.ZOMBIE, signal="SIGKILL"),
            "zombie · killed by SIGKILL · main has not waited",
        ),
        (Node("w", 1, None, State.ZOMBIE, status=2), "zombie · exited 2"),
        (Node("w", 1, "a", State.STOPPED), "stopped"),
        (Node("w", 1, "c", State.RUNNING, former=("a", "b")), "running · adopted from a, then b"),
    ],
)
def test_a_node_says_in_plain_words_what_it_is(node, line):
    assert words(node) == line


def test_a_remark_has_the_last_word():
    assert words(OBSERVED["init"], OBSERVED_REMARKS["init"]) == "asleep in waitpid(1000)"


def test_a_state_that_somebody_saw_goes_before_that_of_the_history():
    assert words(MIXED["main"], Remark(State.WAITING)) == "waiting for a child"


def test_a_zombie_with_a_badge_leaves_the_blame_to_the_badge():
    assert words(OBSERVED["child"], OBSERVED_REMARKS["child"]) == "zombie · exited 0"


@given(nodes())
def test_the_words_of_a_state_are_not_those_of_another(node):
    line = words(node)
    first = {
        State.RUNNING: "running",
        State.STOPPED: "stopped",
        State.ZOMBIE: "zombie",
    }.get(node.state)
    if first is not None:
        assert line.startswith(first)
    else:
        assert line.endswith("reaped by main")
        assert not line.startswith(("running", "stopped", "zombie"))


@given(nodes())
def test_the_words_tell_how_it_ended_and_whose_it_was(node):
    line = words(node)
    if node.state in (State.ZOMBIE, State.REAPED):
        assert (
            f"exited {node.status}" if node.signal is None else f"killed by {node.signal}"
        ) in line
    else:
        assert all(former in line for former in node.former)


@given(ANY_TEXT)
def test_any_text_becomes_one_printable_line(text):
    line = single_line(text)
    assert line.isprintable()
    assert line == line.strip()
    assert single_line(line) == line
