"""All schedules of a keeper, and of the whole manager, with a small service: no death is lost.

What runs is what runs elsewhere. The explorer (docs/outputs.md) puts each system call of each process where the kernel
could put it. Mistakes that lose something in one schedule of millions are found for certain.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from explored_runs import Edit, Workshop

from forklab.bounds import MOST_STATES
from forklab.explore import Exploration, Outcome

NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork"]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("no PID namespace for us")
    return Workshop(tmp_path)


class Play(NamedTuple):
    """What the stand-in does, and the service; all outputs that there can be, with a space for the end of each line."""

    manager: str
    deeds: str
    outputs: set[str]


STARTED, EXECUTED, EMPTY = "started main 1011 ", "executed main ", "empty 1 "
PLAYS = {
    "a service that fails": Play(
        "listen", "exit=3", {f"{STARTED}{EXECUTED}ended main 768 {EMPTY}"}
    ),
    # Where the signal comes before the exec, what there is has its name already, and ends the same way.
    "a service that is told to end, at any moment": Play(
        "kill", "wait", {f"{STARTED}{EXECUTED}ended main 15 {EMPTY}"}
    ),
    "a daemon, whose end is told when its last process has ended": Play(
        "listen",
        "daemon say=d exit=3",
        {
            f"d {STARTED}{EXECUTED}ended main 0 {EMPTY}",
            f"{STARTED}d {EXECUTED}ended main 0 {EMPTY}",
            f"{STARTED}{EXECUTED}d ended main 0 {EMPTY}",
            f"{STARTED}{EXECUTED}ended main 0 d {EMPTY}",
        },
    ),
    "a service that is deaf, and a manager that goes away": Play("leave", "deaf wait", {STARTED}),
}


def lost(found: Exploration, play: Play) -> list[Outcome]:
    """Those in which something is: also if the keeper waits for ever, or leaves somebody to the manager."""
    return [
        outcome
        for outcome in found.outcomes
        if outcome.output.replace("\n", " ") not in play.outputs
        or outcome.deadlock
        or outcome.unreaped
        or outcome.exit != 0
    ]


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (i > 0)) for i, n in enumerate(PLAYS)]
)
def test_a_keeper_loses_nobody(workshop: Workshop, name: str) -> None:
    play = PLAYS[name]
    found = workshop.keeper_alone(play.manager, play.deeds)
    assert not lost(found, play)
    assert found.complete, found.reasons
    assert {outcome.output.replace("\n", " ") for outcome in found.outcomes} == play.outputs


# With the play that shows it.
KEEPER_MISTAKES = {
    "the signals are thrown away after the dead were taken in": (
        Edit(
            """            while (read(news, &dead, sizeof dead) > 0)
                continue;
            reap();
""",
            """            reap();
            while (read(news, &dead, sizeof dead) > 0)
                continue;
""",
        ),
        "a daemon, whose end is told when its last process has ended",
    ),
    "it is no subreaper": (
        Edit(" || prctl(PR_SET_CHILD_SUBREAPER, 1) < 0", ""),
        "a daemon, whose end is told when its last process has ended",
    ),
    "a death overtakes the exec before it": (
        Edit(
            """                hear_of_exec(role);
                named[role] = 0;""",
            """                named[role] = 0;""",
        ),
        "a service that fails",
    ),
    "it has no grace that ends": (
        Edit("manager >= 0 ? -1 : left > 0 ? (int)left : 0", "-1"),
        "a service that is deaf, and a manager that goes away",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("mistake", KEEPER_MISTAKES)
def test_a_mistake_in_the_keeper_is_found(workshop: Workshop, mistake: str) -> None:
    edit, name = KEEPER_MISTAKES[mistake]
    play = PLAYS[name]
    assert lost(workshop.keeper_alone(play.manager, play.deeds, [edit]), play)


class Rule(NamedTuple):
    """A manager that never leaves, its units, and the words of the journal, in the only order that there is.

    `most`: there are more states than that, and nobody has seen all of them yet.
    """

    units: dict[str, str]
    words: list[str]
    most: int | None = None


FAILED = [
    "a.service: Main process exited, code=exited, status=3/NOTIMPLEMENTED",
    "a.service: Failed with result 'exit-code'.",
]
RULES = {
    "a service that fails": Rule(
        {"a.service": "[Service]\nExecStart={deeds} exit=3\n"},
        ["a.service: Started a.service.", *FAILED],
    ),
    "a service that announces itself and dies, before anybody has heard it": Rule(
        {"a.service": "[Service]\nType=notify\nExecStart={deeds} ready exit=3\n"},
        ["a.service: Starting a.service...", "a.service: Started a.service.", *FAILED],
        most=1_500,
    ),
}


def told(found: Exploration) -> set[tuple[str, ...]]:
    """All that the manager may have told until it waits for who asks for something, and nobody else is there."""
    for outcome in found.outcomes:
        assert outcome.deadlock == ("P",) and not outcome.unreaped, outcome
    return {tuple(outcome.output.splitlines()) for outcome in found.outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("name", RULES)
def test_a_manager_loses_nothing(workshop: Workshop, name: str) -> None:
    rule = RULES[name]
    found = workshop.manager(rule.units, "a.service", limit=rule.most or MOST_STATES)
    assert told(found) == {tuple(rule.words)}
    assert found.reasons == ((f"{rule.most:,} states were reached",) if rule.most else ())
