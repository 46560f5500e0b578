"""What differs from run to run is as different as can be, and fits where it stands."""

from __future__ import annotations

import pytest

from forklab.steps.chance import Chance, Kind
from forklab.steps.state import number_of

FAMILIES = [
    ("P", "P.1", "P.2", "P.9", "P.9.1", "P.9.2", "P.9.2.1", "P.9.2.9"),
    ("P", "P.1", "P.1.1", "P.1.1.1", "P.1.1.2"),
    ("P", "P.1", "P.1.9", "P.1.9.9"),
]
STRANGERS = [("P.2", "P.1.1"), ("P.1.1", "P.2.1"), ("P.1.1.1", "P.1.2"), ("P.1.1.1", "P.1.2.1")]
WORLDS = range(1, 17)


@pytest.mark.parametrize("number", range(1, 60))
def test_pids_are_as_wide_as_the_lectures_and_grow_in_a_family(number: int) -> None:
    world = Chance(number)
    for family in FAMILIES:
        pids = [world.pid(number_of(name)) for name in family]
        assert pids == sorted(set(pids))
        assert all(2000 <= pid <= 9999 for pid in pids)
        assert 1000 <= world.parent < min(pids)


def test_no_two_processes_have_the_same_pid() -> None:
    everybody = [number for number in range(1000, 2000) if "0" not in str(number).lstrip("1")]
    for number in WORLDS:
        assert len({Chance(number).pid(one) for one in everybody}) == len(everybody)


@pytest.mark.parametrize(("one", "other"), STRANGERS)
def test_of_two_who_wait_for_nobody_each_may_be_born_first(one: str, other: str) -> None:
    pids = [[Chance(number).pid(number_of(name)) for name in (one, other)] for number in WORLDS]
    assert {first < second for first, second in pids} == {True, False}


def test_the_pid_of_who_is_far_from_the_first_differs_as_well() -> None:
    far = [number_of(name) for name in ("P.10", "P.1.1.1.1", "P.2.3.4.5")]
    for number in far:
        assert {Chance(world).pid(number) % 2 for world in WORLDS} == {0, 1}


@pytest.mark.parametrize("divisor", range(2, 9))
def test_what_is_left_of_a_pid_or_a_time_is_everything_that_can_be(divisor: int) -> None:
    worlds = [Chance(number) for number in WORLDS]
    second = 1_000_000_000
    for kind in (
        [world.pid(1000) for world in worlds],
        [world.delay // second for world in worlds],
        [world.delay // 1000 for world in worlds],
        [world.object for world in worlds],
    ):
        assert {number % divisor for number in kind} == set(range(divisor))


def test_half_of_all_inodes_change_from_odd_to_even() -> None:
    assert [Chance(number).inode(6) % 2 for number in WORLDS[:4]] == [1, 0, 1, 0]


@pytest.mark.parametrize("number", WORLDS)
def test_inodes_that_differ_still_do(number: int) -> None:
    world = Chance(number)
    assert len({world.inode(inode) for inode in range(1000)}) == 1000


def test_what_is_not_of_its_kinds_stays_as_it_is() -> None:
    assert Chance(3, frozenset({Kind.TIME})).pid(1001) == 1001


def test_no_clock_comes_to_its_end() -> None:
    eight_years = 8 * 365 * 24 * 3600 * 1_000_000_000  # it begins in 2030, and some end in 2038
    assert all(Chance(number).delay < eight_years for number in range(1, 200))
