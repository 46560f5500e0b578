"""Each wall that does not stand is named, with its mend; and nobody is told that one stands which does not."""

from __future__ import annotations

import os

import pytest

from autograder.language.roles import PIDNS
from autograder.stage.isolation import dangers, lacks, probe
from autograder.stage.sandbox import Means
from autograder.stage.walls import Wall, among_others, everywhere, walls

NEWEST = Means(landlock=7, filters=True, fenced=True, asks=True)
WITHOUT_SCOPES = Means(landlock=5, filters=True, fenced=False, asks=True)
WITHOUT_QUESTIONS = Means(landlock=5, filters=True, fenced=False, asks=False)
NOTHING = Means(landlock=0, filters=False, fenced=False, asks=False)


def missing(means: Means, *, own_user: bool) -> set[str]:
    return {w.about for w in among_others(means, own_user) if w.guards and not w.stands}


def test_what_does_not_stand_is_told_with_its_mend(mode: str) -> None:
    assert [wall for wall in walls(mode) if not wall.stands and not wall.mend] == []
    assert lacks(mode) == tuple(wall.words for wall in walls(mode) if not wall.stands)
    assert set(dangers(mode)) <= set(lacks(mode))


def test_a_namespace_keeps_strangers_from_others() -> None:
    if probe().mode != PIDNS:
        pytest.skip(probe().why)
    assert all(wall.stands for wall in walls(PIDNS) if wall.guards)


def test_so_does_a_user_of_its_own() -> None:
    assert missing(NEWEST, own_user=True) == set()
    assert missing(WITHOUT_SCOPES, own_user=True) == set()
    assert missing(WITHOUT_QUESTIONS, own_user=True) == {"abstract sockets"}


def test_whose_submission_runs_as_the_grader_has_no_wall_around_its_account() -> None:
    assert missing(NEWEST, own_user=False) == {"names of files", "user"}
    assert missing(WITHOUT_SCOPES, own_user=False) == {"names of files", "user", "processes"}
    assert missing(NOTHING, own_user=False) > missing(WITHOUT_QUESTIONS, own_user=False)


def test_it_is_told_where_timers_are_not_seen() -> None:
    for means in (NEWEST, WITHOUT_QUESTIONS):
        [timers] = [wall for wall in everywhere(means) if wall.about == "timers"]
        assert timers.stands == means.asks
        assert ("can be judged before" in timers.words) == (not means.asks)


def test_in_virtual_time_nobody_has_to_ask_to_see_timers_and_who_connects() -> None:
    [timers] = [w for w in everywhere(WITHOUT_QUESTIONS, traced=True) if w.about == "timers"]
    assert timers.stands
    found = among_others(WITHOUT_QUESTIONS, own_user=True, traced=True)
    assert {w.about for w in found if w.guards and not w.stands} == set()
    found = among_others(NOTHING, own_user=True, traced=True)
    assert "abstract sockets" in {w.about for w in found if w.guards and not w.stands}


def test_the_words_differ_where_the_wall_does_not_stand() -> None:
    standing = {wall.about: wall.words for wall in among_others(NEWEST, own_user=True)}
    for wall in among_others(NOTHING, own_user=False):
        if not wall.stands and wall.about in standing:
            other = next(w for w in among_others(NEWEST, own_user=True) if w.about == wall.about)
            assert not other.stands or other.words != wall.words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has users for submissions")
def test_root_has_a_user_for_each_submission(mode: str) -> None:
    [user] = [wall for wall in walls(mode) if wall.about == "user"]
    assert isinstance(user, Wall) and user.stands
