"""How a play begins: from what a script and its lab say of the subject's start to a play on the stage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import reduce
from typing import assert_never

from autograder.labs.scenario import Scenario
from autograder.language.beginnings import (
    Beginning,
    FreezesInitAfterFork,
    FreezesMainAfterFork,
    HoldsExits,
    StartsAsJob,
    StartsBlocking,
    StartsIgnoring,
    StartsIn,
    StartsPending,
    StartsWithExitHandler,
    StartsWithNiceValue,
    StartsWithout,
    StartsWithUmask,
    StartsWithVariable,
)
from autograder.language.deeds import EndsInput, Presses, Types
from autograder.language.roles import INIT, MAIN, STREAMS, Programs
from autograder.language.services import Controls
from autograder.stage.play import Play
from autograder.stage.stage import Stage
from autograder.stage.staged import StagedPlay
from autograder.stage.start import Start
from forklab.kernel.signals import signal_number


def opened(scenario: Scenario, programs: Programs, stage: Stage) -> StagedPlay:
    """The play, in which one of `programs` has been started as the scenario says.

    Who is next is another chance in each scenario, and the same one each time that it is played. Raises UnableError if
    this stage cannot start it so, StageError or OSError if it cannot start anything.
    """
    start = start_of(scenario, stage)
    command = scenario.command_line(programs, stage.main)
    terminal, casting = scenario.terminal, scenario.casting
    typed = is_typed(scenario)
    if stage.in_virtual_time:
        # Here alone: it brings the lens along, which plays in real time do without.
        from autograder.stage.virtual import VirtualPlay

        virtual = VirtualPlay(
            stage,
            command,
            terminal=terminal,
            start=start,
            casting=casting,
            typed=typed,
            seed=f"{stage.seed} {scenario.name}" if stage.seed else scenario.name,
        )
        virtual.programs = programs
        return virtual
    play = Play(stage, command, terminal=terminal, start=start, casting=casting, typed=typed)
    play.programs = programs
    return play


def is_typed(scenario: Scenario) -> bool:
    """Whether somebody types something in it."""
    return any(isinstance(step, Types | Presses | EndsInput | Controls) for step in scenario.steps)


def start_of(scenario: Scenario, stage: Stage) -> Start:
    """How the subject starts, and what it finds there."""
    beginnings = (step for step in scenario.steps if isinstance(step, Beginning))
    return _surroundings(scenario, _together(beginnings), stage)


def _surroundings(scenario: Scenario, start: Start, stage: Stage) -> Start:
    """What the subject finds: commands on its PATH, and files where it starts."""
    stage.put_commands(scenario.casting)
    if scenario.casting.commands:
        start = replace(start, variables=(f"PATH={stage.search_path()}", *start.variables))
    if scenario.bill.files:
        folder = stage.put_files(scenario.bill.files)
        start = replace(start, folder=start.folder or folder)
    return start


def _together(beginnings: Iterable[Beginning]) -> Start:
    """All of them together; of two that contradict each other the later one counts."""
    return reduce(_with, beginnings, Start())


def _with(start: Start, beginning: Beginning) -> Start:
    match beginning:
        case StartsIgnoring(signal):
            return replace(start, ignored=(*start.ignored, signal_number(signal)))
        case StartsBlocking(signal):
            return replace(start, blocked=(*start.blocked, signal_number(signal)))
        case StartsPending(signal):
            return replace(start, pending=(*start.pending, signal_number(signal)))
        case StartsWithout(stream):
            return replace(start, closed=(*start.closed, STREAMS.index(stream)))
        case StartsWithVariable(variable):
            return replace(start, variables=(*start.variables, variable))
        case StartsIn(folder):
            return replace(start, folder=folder)
        case StartsWithUmask(umask):
            return replace(start, umask=umask)
        case StartsWithNiceValue(nice):
            return replace(start, nice=nice)
        case StartsAsJob(place):
            return replace(start, job=place)
        case StartsWithExitHandler():
            return replace(start, exit_handler=True)
        case FreezesInitAfterFork():
            return replace(start, frozen=INIT)
        case FreezesMainAfterFork():
            return replace(start, frozen=MAIN)
        case HoldsExits():
            return replace(start, exits_held=True)
        case _:
            assert_never(beginning)
