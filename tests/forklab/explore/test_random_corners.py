"""Of random programs of which something is known beforehand, that is what is found; and nothing ends in a traceback.

And that this would be seen: each of the first faults of this kind is brought back, in a copy, and then one of a few
programs tells. What chance decides, or what is shared, is in test_shared_runs.py.
"""

from __future__ import annotations

import random
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from free_runs import free_runs
from random_corners import CORNERS, Corner, random_corner
from taken_out import said_without, times_there
from test_real_runs import LAST_HEADER, NOISE
from test_shared_runs import led_run, possible

from forklab.explore import Exploration, explore
from forklab.explore.why import why
from forklab.kernel.processors import X86_64, this_processor
from forklab.source import program_of

pytestmark = [
    pytest.mark.usefixtures("pid_namespaces"),
    pytest.mark.skipif(this_processor() is not X86_64, reason="nobody is led through a loop there"),
]

# What is found has to be found with so few. By states, and not by time: so it is the same on any machine.
MOST_STATES = 1_000
MOST_STATES_OF_A_BOMB = 200
RUNS, SEEDS = 10, 2
SHUFFLED = 6  # outputs, possible or not
NOBODY = "Nobody ever writes"


def faults(kind: str, seed: int, folder: Path) -> list[str]:
    """Of one program: what would not be there if all were well."""
    corner = random_corner(kind, seed)
    try:
        return list(_faults(kind, seed, corner, folder))
    except Exception:  # none of them is to be seen by anybody
        return [traceback.format_exc()]


def _faults(kind: str, seed: int, corner: Corner, folder: Path) -> Iterator[str]:
    with program_of("c", corner.text) as program:
        found = explore(program.argv, program=program.path, limit=MOST_STATES, tempt=False)
        if corner.reason:
            yield from _not_said(corner.reason, found)
            return
        if not found.complete:
            yield f"not complete: {found.reasons}"
        if corner.outputs is not None and found.outputs != corner.outputs:
            yield f"it prints {found.outputs}, and not {corner.outputs}"
        if kind == "equal processes" and found.states != found.outputs[0].count("\n") + 1:
            yield f"who they are makes a difference: {found.states} states"
        if kind == "words":
            yield from _misread(found, random.Random(seed))
        led = set()
        if kind == "loops":
            led = {led_run(program, folder, number) for number in range(SEEDS)}
    if kind == "loops":
        with program_of("c", corner.text.replace(LAST_HEADER, NOISE)) as program:
            assert program.path is not None
            seen = led | free_runs(program.path, folder, RUNS)
        if unforeseen := seen - possible(found):
            yield f"not foreseen: {unforeseen}"


def _not_said(reason: str, found: Exploration) -> Iterator[str]:
    """What has to be said of what cannot be explored, and soon."""
    if found.complete or not any(reason in said for said in found.reasons):
        yield f"not said: {reason}, but {found.reasons}"
    if found.states > MOST_STATES_OF_A_BOMB:
        yield f"{found.states} states were looked at for that"


def _misread(found: Exploration, chance: random.Random) -> Iterator[str]:
    """An output without what separates its pieces is read as one with that."""
    pieces = found.outputs[0].split()
    for number in range(SHUFFLED):
        apart = " ".join(chance.sample(pieces, len(pieces)) if number else pieces)
        together = apart.replace(" ", "")
        one, other = why(found, apart), why(found, together)
        # What is possible may be read in another way, too.
        if other.possible < one.possible or (NOBODY in other.text) != (NOBODY in one.text):
            yield f"{apart}: {one.text}\n{together}: {other.text}"


@pytest.mark.parametrize("kind", CORNERS)
def test_what_is_known_beforehand_is_found(kind: str, folder: Path) -> None:
    assert not faults(kind, 0, folder), random_corner(kind, 0).text


@pytest.mark.slow
@pytest.mark.parametrize("kind", CORNERS)
def test_what_is_known_beforehand_is_found_of_many(kind: str, folder: Path) -> None:
    for seed in range(1, 60):
        assert not faults(kind, seed, folder), random_corner(kind, seed).text


class Mend(NamedTuple):
    """What stands in a file of forklab, what would be wrong in its place, and the kind of programs that tell."""

    file: str
    right: str
    wrong: str
    kind: str


MENDS = {
    "a loop that computes: a run that came to no step": Mend(
        "explore/learned.py",
        "if not played.taken:",
        "if False:",
        "computes",
    ),
    "equal processes are one case": Mend(
        "explore/explore.py",
        "forest = None if replays.are_void or not played else forest_of(played, replays.grain)",
        "forest = None",
        "equal processes",
    ),
    "outputs without separators": Mend(
        "explore/why.py",
        "whole = [] if word in known else list(islice(_pieces(word, known), _MOST_READINGS))",
        "whole: list[tuple[str, ...]] = []",
        "words",
    ),
    "a loop until a signal": Mend(
        "lens/loop/scheduled.py",
        "if any(spinning.is_held_for_good(loop, tracee) for tracee in computing):",
        "if False:",
        "loops",
    ),
    "a loop until a moment": Mend(
        "lens/loop/watching.py",
        "if standing.readings > _OFTEN and _can_be_led(run, tracee):",
        "if False:",
        "moments",
    ),
    "a PID namespace, by unshare": Mend(
        "lens/loop/holding.py",
        'elif name == "unshare" and arguments[0] & CLONE_NEWPID:',
        "elif False:",
        "namespaces",
    ),
    "a PID namespace, by clone": Mend(
        "lens/loop/stepping.py",
        "if flags & CLONE_NEWPID:",
        "if False:",
        "namespaces",
    ),
    "a fork bomb: how far to look at it": Mend(
        "explore/explore.py",
        "elif graph.endless is not None:\n            most",
        "elif False:\n            most",
        "bombs",
    ),
    "a fork bomb: what it is called": Mend(
        "explore/search.py",
        '*(text.rstrip(".") for text in (*cut, *learned.doubts)),',
        '*(text.rstrip(".") for text in learned.doubts),',
        "bombs",
    ),
}
LOOK = "from test_random_corners import look_until; look_until({!r})"
FEW = 6  # programs to look at


def look_until(kind: str) -> None:
    """Ends with 1 as soon as a fault is seen: in a process of its own, with the forklab on its path.

    Prints the number of the program, and the fault.
    """
    for seed in range(FEW):
        if found := faults(kind, seed, Path.cwd()):
            print(seed, found)
            sys.exit(1)


@pytest.mark.parametrize("name", MENDS)
def test_each_mend_stands_where_it_is_said(name: str) -> None:
    assert times_there(*MENDS[name][:2]) == 1


def without(name: str, folder: Path) -> None:
    file, right, wrong, kind = MENDS[name]
    done = said_without(file, right, wrong, LOOK.format(kind), folder)
    print(done.stdout)
    assert done.returncode == 1 and not done.stderr, done.stderr


def test_without_one_of_these_mends_a_fault_is_seen(tmp_path: Path) -> None:
    without("outputs without separators", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", MENDS)
def test_without_this_mend_a_fault_is_seen(name: str, tmp_path: Path) -> None:
    without(name, tmp_path)
