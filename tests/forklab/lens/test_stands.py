"""Which stands lead to which: one table, and a world that keeps to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forklab.lens.world.chronicle import Chronicle
from forklab.lens.world.stands import ASLEEP, LEADS_TO, Stand
from forklab.lens.world.world import World


def world_of(count: int) -> tuple[World, list[int]]:
    chronicle = Chronicle(100, lambda: 0.0, real_pids=False)
    members = [chronicle.first]
    members += [chronicle.forked(chronicle.first, 101 + number) for number in range(count - 1)]
    world = World()
    return world, [world.new(member.pid, member).tid for member in members]


def test_every_stand_is_in_the_table_and_all_but_the_last_can_end() -> None:
    assert set(LEADS_TO) == set(Stand)
    assert all(Stand.GONE in LEADS_TO[stand] for stand in set(Stand) - {Stand.GONE})
    assert LEADS_TO[Stand.GONE] == {}


def test_every_stand_can_be_reached() -> None:
    reached, new = {Stand.RUNNING}, {Stand.RUNNING}
    while new:
        new = {stand for one in new for stand in LEADS_TO[one]} - reached
        reached |= new
    assert reached == set(Stand)


@given(st.data())
def test_the_world_knows_who_stands_where_whatever_happens(data: st.DataObject) -> None:
    world, tids = world_of(3)
    for _ in range(data.draw(st.integers(0, 30))):
        if not world.tracees:
            break
        tracee = world.tracees[data.draw(st.sampled_from(sorted(world.tracees)))]
        choices = [*LEADS_TO[tracee.stand], tracee.stand]
        world.let(tracee, data.draw(st.sampled_from(choices)))
        stands = {tid: one.stand for tid, one in world.tracees.items()}
        assert set(world.running) == {t for t, stand in stands.items() if stand is Stand.RUNNING}
        assert set(world.asleep) == {t for t, stand in stands.items() if stand in ASLEEP}
        ready = [tid for tid, stand in stands.items() if stand is Stand.READY]
        assert [one.tid for one in world.queue] == sorted(ready)  # born in the order of their ids
        assert set(world.tracees) <= set(tids)


def test_a_way_that_is_not_in_the_table_is_refused() -> None:
    world, (tid,) = world_of(1)
    world.let(world.tracees[tid], Stand.READY)
    with pytest.raises(AssertionError, match="P: ready to inside"):
        world.let(world.tracees[tid], Stand.INSIDE)
