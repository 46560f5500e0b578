"""Trees as text, and read aloud."""

from __future__ import annotations

from drawn_trees import (
    ALL,
    CHAIN,
    MIXED,
    MIXED_REMARKS,
    OBSERVED,
    OBSERVED_REMARKS,
    TWENTY_ORPHANS,
    ends,
    fork,
    tree_of,
    trees,
)
from hypothesis import given

from forklab.draw.trees.cards import cards
from forklab.draw.trees.text import alt_text, tree_text
from forklab.history import Node, State, Tree


def test_a_narrow_tree_is_drawn_in_one_line():
    tree = tree_of(fork("init", "main"), fork("main", "worker"), ends("worker", status=3))
    assert (
        tree_text(tree)
        == "init(1) ─ main(1000) ─ worker(1001) zombie · exited 3 · main has not waited"
    )


def test_siblings_stand_below_each_other_as_pstree_has_them():
    assert tree_text(OBSERVED, OBSERVED_REMARKS).splitlines() == [
        "init(1) asleep in waitpid(1000) ─┬─ main(1000) ─ worker(1001) exited 0 · reaped by main",
        "                                 └─ child(1002) zombie · exited 0 ≠ should be reaped by init",
    ]


def test_a_wide_tree_grows_downwards():
    assert tree_text(MIXED, MIXED_REMARKS).splitlines() == [
        "init(1) waiting for any child",
        "├─ main(1000)",
        "│  ├─ worker(1001) zombie · exited 3 · main has not waited",
        "│  ├─ logger(1003) stopped by SIGTSTP",
        "│  └─ helper(1004) exited 0 · reaped by main",
        "└─ child(1002) running · adopted from worker",
    ]


def test_lines_with_branches_below_them_go_on():
    tree = tree_of(fork("init", "a", "b"), fork("a", "c", "d"), fork("b", "e"))
    assert tree_text(tree).splitlines() == [
        "init(1) ─┬─ a(1000) ─┬─ c(1002)",
        "         │           └─ d(1003)",
        "         └─ b(1001) ─ e(1004)",
    ]


def test_what_hangs_from_the_last_child_stands_clear_of_it():
    tree = tree_of(fork("init", "a"), fork("a", "b", "c"))
    assert tree_text(tree, columns=10).splitlines() == [
        "init(1)",
        "└─ a(1000)",
        "   ├─ b(1001)",
        "   └─ c(1002)",
    ]


def test_a_crowd_is_folded_as_in_pictures():
    assert tree_text(TWENTY_ORPHANS).splitlines() == [
        "init(1) ─┬─ main(1000) ─ w1..w20(1001..1020) all 20: exited 0 · reaped by main",
        "         └─ g1..g20(1021..1040) all 20: running · adopted from w1..w20",
    ]


def test_every_picture_has_its_words_in_the_text():
    for tree, remarks in ALL.values():
        text = tree_text(tree, remarks)
        for card in cards(tree, remarks):
            assert f"{card.name}({card.pid})" in text
            assert card.words == "running" or card.words in text


def test_a_chain_may_be_longer_than_the_stack_of_python():
    long = Tree(
        tuple(Node(f"c{n}", n + 1, f"c{n - 1}" if n else None, State.RUNNING) for n in range(2000))
    )
    assert len(tree_text(long).splitlines()) == 2000


def test_an_empty_tree_is_no_text_and_says_so_aloud():
    assert tree_text(Tree(())) == ""
    assert alt_text(Tree(())) == "No process."


def test_several_roots_stand_below_each_other():
    tree = Tree((Node("a", 1, None, State.RUNNING), Node("b", 2, "gone", State.RUNNING)))
    assert tree_text(tree) == "a(1)\nb(2)"


def test_a_tree_is_read_aloud_from_the_root():
    assert alt_text(OBSERVED, OBSERVED_REMARKS) == (
        "Process tree, 4 processes. "
        "init, pid 1: asleep in waitpid(1000). "
        "main, pid 1000, child of init: running. "
        "worker, pid 1001, child of main: exited 0, reaped by main. "
        "child, pid 1002, child of init: zombie, exited 0. "
        "Not as expected: should be reaped by init."
    )


def test_a_pile_is_read_aloud_as_a_row():
    aloud = alt_text(TWENTY_ORPHANS)
    assert aloud.startswith("Process tree, 42 processes.")
    assert "g1 to g20, pids 1021 to 1040, child of init: all 20: running" in aloud


def test_a_chain_that_is_read_aloud_names_each_once():
    assert [f"c{n}, pid" in alt_text(CHAIN) for n in range(30)] == [True] * 30


@given(trees())
def test_text_has_a_line_a_card_when_it_grows_downwards(tree):
    assert len(tree_text(tree, columns=0).splitlines()) == len(cards(tree))
