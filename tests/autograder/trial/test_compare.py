"""What is wrong with an observed tree, in the words of its badges."""

from __future__ import annotations

import pytest

from autograder.trial.compare import differences
from forklab.history import Node, State, Tree

INIT = Node("init", 1, None, State.RUNNING, reaper=True)
MAIN = Node("main", 1000, "init", State.RUNNING)
DEAD = Node("main", 1000, "init", State.ZOMBIE, status=3)
GONE = DEAD._replace(state=State.REAPED, reaped_by="init")
KILLED = Node("main", 1000, "init", State.REAPED, signal="SIGTERM", reaped_by="init")


def difference(expected: Node, observed: Node) -> str | None:
    return differences(Tree((INIT, expected)), Tree((INIT, observed))).get("main")


@pytest.mark.parametrize("node", [MAIN, DEAD, GONE, KILLED])
def test_equal_trees_do_not_differ(node: Node) -> None:
    assert differences(Tree((INIT, node)), Tree((INIT, node))) == {}


@pytest.mark.parametrize(
    ("expected", "observed", "words"),
    [
        (GONE, DEAD, "should be reaped by init"),
        (GONE, MAIN, "should have exited 3"),
        (KILLED, MAIN, "should have been killed by SIGTERM"),
        (MAIN, DEAD, "should be running"),
        (MAIN, GONE, "should be running"),
        (MAIN, MAIN._replace(state=State.STOPPED, signal="SIGTSTP"), "should be running"),
        (MAIN._replace(state=State.STOPPED, signal="SIGTSTP"), MAIN, "should be stopped"),
        (DEAD, GONE, "should be a zombie: init has not waited"),
        (DEAD, MAIN, "should have exited 3"),
        (GONE, GONE._replace(status=4), "should have exited 3"),
        (KILLED, KILLED._replace(signal="SIGKILL"), "should have been killed by SIGTERM"),
        (KILLED, GONE, "should have been killed by SIGTERM"),
        (MAIN, MAIN._replace(parent="worker"), "should be a child of init"),
        (
            DEAD,
            DEAD._replace(parent="outside", status=0),
            "should be a child of init, should have exited 3",
        ),
    ],
)
def test_the_badge_says_what_should_be(expected: Node, observed: Node, words: str) -> None:
    if observed.parent == "outside":
        outside = Node("outside", 2, None, State.RUNNING)
        found = differences(Tree((INIT, expected, outside)), Tree((INIT, observed, outside)))
        assert found == {"main": words}
    else:
        assert difference(expected, observed) == words


def test_running_and_waiting_look_alike() -> None:
    assert difference(MAIN, MAIN._replace(state=State.WAITING)) is None


def test_who_was_reaped_has_no_parent_that_could_be_compared() -> None:
    assert difference(GONE, GONE._replace(parent="worker", reaped_by="worker")) is None


def test_whether_somebody_outside_has_reaped_init_does_not_matter() -> None:
    zombie = INIT._replace(state=State.ZOMBIE, status=0)
    reaped = zombie._replace(state=State.REAPED, reaped_by="outside")
    assert differences(Tree((reaped,)), Tree((zombie,))) == {}
    assert differences(Tree((reaped,)), Tree((INIT,))) == {"init": "should have exited 0"}


def test_whose_parent_is_outside_of_the_play_is_nobodys_child() -> None:
    adopted = MAIN._replace(parent="outside")
    assert difference(adopted, MAIN._replace(parent=None)) is None
    assert difference(adopted, MAIN) == "should be a child of nobody here"


def test_who_is_missing_or_too_many_is_named_unless_it_is_to_be_ignored() -> None:
    stray = Node("stray", 1001, "init", State.RUNNING)
    expected, observed = Tree((INIT, MAIN)), Tree((INIT, stray))
    assert differences(expected, observed) == {"main": "should exist", "stray": "should not exist"}
    assert differences(expected, observed, ignore={"main", "stray"}) == {}
