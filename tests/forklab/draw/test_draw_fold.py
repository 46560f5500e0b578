"""Which processes share a card."""

from __future__ import annotations

from collections import Counter

import pytest
from drawn_trees import (
    FIVE_FORKS,
    FORGOTTEN_REMARKS,
    MIXED,
    PAIRS,
    TWENTY_ORPHANS,
    TWO_FORGOTTEN,
    ends,
    fork,
    reaps,
    row,
    tree_of,
    trees,
)
from hypothesis import given

from forklab.draw.fold import fold, in_a_row, label, label_of
from forklab.draw.trees.cards import cards
from forklab.draw.trees.description import words
from forklab.history import Node, Remark, State, Tree


def labels(tree, remarks=None, **how):
    return [label(pile) for pile in fold(tree, remarks or {}, **how)]


def test_a_small_tree_is_drawn_one_by_one():
    assert labels(MIXED) == ["init", "main", "worker", "logger", "helper", "child"]
    assert len(labels(tree_of(fork("init", *row("w", 11))))) == 12


def test_twenty_workers_with_a_child_each_are_two_piles():
    assert labels(PAIRS) == ["init", "main", "w1..w20", "g1..g20"]


def test_twenty_orphans_are_a_pile_below_who_adopted_them():
    assert labels(TWENTY_ORPHANS) == ["init", "main", "w1..w20", "g1..g20"]
    drawn = cards(TWENTY_ORPHANS)
    assert drawn[3].words == "all 20: running · adopted from w1..w20"
    assert drawn[3].pid == "1021..1040"
    assert drawn[3].parent == 0


def test_one_that_is_not_as_expected_stands_alone():
    assert labels(TWO_FORGOTTEN, FORGOTTEN_REMARKS)[3:] == ["g1..g6", "g7", "g8", "g9..g20"]


def test_a_remark_on_one_takes_it_out_of_the_pile():
    assert "w1..w19" in labels(PAIRS, {"w20": Remark(words="asleep in read")})


def test_children_of_different_shape_are_not_alike():
    assert len(labels(FIVE_FORKS)) == 32


def test_a_crowd_is_not_folded_when_a_film_says_so():
    assert len(labels(PAIRS, crowded=1000)) == len(PAIRS)


def test_a_pile_of_few_is_not_worth_it():
    tree = tree_of(fork("init", "main", *row("a", 3), *row("b", 4), *row("x", 9)))
    assert labels(tree) == ["init", "main", "a1", "a2", "a3", "b1..b4", "x1..x9"]


def test_a_pile_that_reaped_a_pile_is_named_as_one():
    workers, children = row("w", 20), row("g", 20)
    pairs = list(zip(workers, children, strict=True))
    tree = tree_of(
        fork("init", *workers),
        *(fork(w, g) for w, g in pairs),
        ends(*children),
        *(reaps(w, g) for w, g in pairs),
    )
    assert [card.words for card in cards(tree)][-1] == "all 20: exited 0 · reaped by w1..w20"


def test_piles_fall_apart_when_what_they_would_say_is_not_true_of_all():
    """Each g was adopted from another x, and the x are no pile: so the g are none, nor the w above them."""
    numbers = range(1, 6)
    states = [State.RUNNING, State.REAPED]
    tree = Tree(
        (
            Node("init", 1, None, State.RUNNING),
            *(Node(f"x{n}", 10 + n, "init", states[n % 2]) for n in numbers),
            *(Node(f"w{n}", 20 + n, "init", State.RUNNING) for n in numbers),
            *(Node(f"g{n}", 30 + n, f"w{n}", State.RUNNING, former=(f"x{n}",)) for n in numbers),
        )
    )
    assert all(".." not in name for name in labels(tree))
    assert len(labels(tree)) == 16


@pytest.mark.parametrize(
    ("first", "second", "answer"),
    [
        ("w1", "w2", True),
        ("w9", "w10", True),
        ("P.1.3", "P.2.3", True),
        ("w1", "w3", False),
        ("w2", "w1", False),
        ("w1", "w1", False),
        ("w1", "v2", False),
        ("P.1.1", "P.2.2", False),
        ("main", "worker", False),
    ],
)
def test_a_row_counts_by_one(first, second, answer):
    assert in_a_row(first, second) is answer


@given(trees())
def test_every_process_is_in_exactly_one_pile_and_parents_come_first(tree):
    found = fold(tree, {}, crowded=3)
    assert Counter(name for pile in found for name in pile) == Counter(n.name for n in tree)
    drawn = cards(tree, crowded=3)
    assert all(card.parent is None or card.parent < card.number for card in drawn)


@given(trees())
def test_what_a_pile_says_is_true_of_each_of_its_members(tree):
    found = fold(tree, {}, crowded=3)
    called = label_of(found)
    for pile in found:
        assert len({words(tree[name], called=called.__getitem__) for name in pile}) == 1
        assert len({tree[name].state for name in pile}) == 1
        assert len({called.get(tree[name].parent) for name in pile}) == 1
