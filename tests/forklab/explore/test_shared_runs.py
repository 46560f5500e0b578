"""What happens to what processes share, when nobody holds them, is among the outcomes that are found.

And that this would be seen: each mend of the explorer is taken out again, in a copy, and then some program does what
was not foreseen, or the search contradicts itself: a real run did not do what other runs had taught. Then it claims
nothing, but says no cause either; as it is, that never happens.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from free_runs import FOR_EVER, forget_semaphores, free_runs, many_runner, many_runs
from random_sharing import random_sharing
from taken_out import said_without, times_there
from test_real_runs import LAST_HEADER, NOISE, Seen

from forklab.explore import Exploration, explore
from forklab.lens.record import record
from forklab.runnable import Runnable
from forklab.source import program_of

pytestmark = pytest.mark.usefixtures("pid_namespaces")

RUNS = 15  # of each program, by nobody's order
MANY = 2_000  # in the slow suite, of each that always ends
SEEDS = 4  # and with each of these
SECONDS = 15.0  # for all schedules of one
# What a search says where a real run did not do what others had taught: the model lacks something.
CONTRADICTION = re.compile(
    "^It does not begin in the same way|^(A step of .*|Time that passes) changes the "
    "|^A step of .* could not be followed"
    "|^The same step of|^After a step of .* is missing|is not possible here"
    "|^not every outcome could be made to happen again"
)
BOUND = re.compile("seconds were over$|states were reached$|^the search was not finished$")


class Compared(NamedTuple):
    """The outcomes that were found, and those that were seen; whether it is said that there are no others.

    `contradictions`: the search has noticed itself that the model is wrong, and did not say so before.
    """

    found: set[Seen]
    seen: set[Seen]
    complete: bool
    contradictions: tuple[str, ...]

    @property
    def faults(self) -> list[object]:
        """What would not be there if the model were right."""
        unforeseen = self.seen - self.found if self.complete else set()
        return [*sorted(unforeseen, key=str), *self.contradictions]


def possible(found: Exploration) -> set[Seen]:
    return {
        FOR_EVER if outcome.deadlock else (outcome.output, outcome.end.status)
        for outcome in found.outcomes
    }


def led_run(program: Runnable, folder: Path, seed: int) -> Seen:
    recording = record(program.argv, program=program.path, seed=seed, forks=True)
    forget_semaphores(folder)
    for name in os.listdir(folder):
        (shutil.rmtree if os.path.isdir(name) else os.unlink)(name)
    return FOR_EVER if recording.ended_early else (recording.output, recording.status)


def compare(text: str, folder: Path, runner: str = "") -> Compared:
    """Of one program. Nobody runs it where not everything was found, which was said.

    `runner`: of many_runs, if it shall be run so often.
    """
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path, seconds=SECONDS, forks=True)
        assert not os.listdir(folder), text  # it leaves files as they were
        seen = set()
        if found.complete:
            seen = {led_run(program, folder, number) for number in range(SEEDS)}
    if found.complete:
        with program_of("c", text.replace(LAST_HEADER, NOISE)) as program:
            assert program.path is not None
            seen |= free_runs(program.path, folder, RUNS)
            if runner and FOR_EVER not in possible(found):
                seen |= many_runs(
                    runner, program.path, MANY, own_ipc="IPC" in text or "mq_" in text
                )
    return Compared(possible(found), seen, found.complete, contradictions(found.reasons))


def contradictions(reasons: Iterable[str]) -> tuple[str, ...]:
    """None where it names something that is not modelled: then the model may be wrong."""
    reasons = [reason for reason in reasons if not BOUND.search(reason)]
    noticed = tuple(filter(CONTRADICTION.search, reasons))
    return noticed if len(noticed) == len(reasons) else ()


def all_compared(texts: Iterable[str], folder: Path, runner: str = "") -> list[Compared]:
    compared = []
    for text in texts:
        compared.append(both := compare(text, folder, runner))
        assert not both.faults, text
    return compared


def check(seeds: range, folder: Path, runner: str = "") -> None:
    compared = all_compared(map(random_sharing, seeds), folder, runner)
    complete = [both for both in compared if both.complete]
    assert len(complete) > len(seeds) // 2
    # The noise is of use: chance finds a good part of the outcomes as well.
    of_all = sum(len(both.found) for both in complete)
    assert 4 * sum(len(both.seen) for both in complete) > of_all


def test_what_really_happens_was_foreseen(folder: Path) -> None:
    check(range(5), folder)


def test_what_can_be_told_of_ends_was_foreseen(folder: Path) -> None:
    all_compared((random_sharing(seed, ["ends"]) for seed in (5, 7, 19)), folder)


@pytest.mark.slow
def test_what_can_be_told_of_many_ends_was_foreseen(folder: Path) -> None:
    with many_runner() as runner:
        all_compared((random_sharing(seed, ["ends"]) for seed in range(200)), folder, runner)


def test_a_contradiction_is_told_from_what_is_not_modelled() -> None:
    noticed = "The same step of P does not do the same each time"
    for reasons, expected in [
        ([noticed], (noticed,)),
        ([noticed, "15 seconds were over", "the search was not finished"], (noticed,)),
        (["15 seconds were over"], ()),
        ([noticed, "P calls tickle, which is not modelled"], ()),
    ]:
        assert contradictions(reasons) == expected


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 6))
def test_what_really_happens_was_foreseen_of_many(hundred: int, folder: Path) -> None:
    with many_runner() as runner:
        check(range(100 * hundred - 100, 100 * hundred), folder, runner)


class Mend(NamedTuple):
    """What stands in a file of forklab, what would be wrong in its place, and which programs tell: of which kinds, and
    of calls with which words.
    """

    file: str
    right: str
    wrong: str
    kinds: tuple[str, ...]
    words: tuple[str, ...] = ("",)


MENDS = {
    "which end of a pipe it is": Mend(
        "lens/loop/holding.py",
        "return pipe if side_of(tracee.member.pid, descriptor) == side else None",
        "return pipe",
        ("pipes",),
        ("get_one(ends", "write(ends"),
    ),
    "to read nothing": Mend(
        "lens/loop/holding.py",
        'return (pipe.name, size) if pipe and size else None\n    if name == "ioctl"',
        'return (pipe.name, size) if pipe else None\n    if name == "ioctl"',
        ("pipes",),
        ("read(ends[0], line, 0)", "write(ends[1]"),
    ),
    "who must not wait": Mend(
        "steps/moves.py",
        " or READ_END in pipe.nonblocking), False",
        "), False",
        ("pipes",),
        ("get_one(ends[0])", "F_SETFL", "write(ends[1]"),
    ),
    "flags of a pipe": Mend(
        "lens/calls/touching.py",
        "int32(call.arguments[1]) in (_F_GETFL, F_SETFL)\n\n\n",
        "int32(call.arguments[1]) == _F_GETFL\n\n\n",
        ("pipes",),
        ("F_SETFL", "flags_of(ends"),
    ),
    "who sleeps by then": Mend(
        "lens/loop/piping.py",
        "int32(call.arguments[1]) != F_SETFL or",
        "int32(call.arguments[1]) == F_SETFL or",
        ("pipes",),
        ("get_one(ends[0])", "F_SETFL, O_NONBLOCK"),
    ),
    "an offset that is shared": Mend(
        "lens/calls/subjects.py",
        'tells = _is_shared(run, tracee, number, file)\n        yield Touch(f"file',
        'tells = False\n        yield Touch(f"file',
        ("offsets",),
        ("get_one(shared)", "lseek(shared"),
    ),
    "what is in files": Mend(
        "lens/calls/subjects.py",
        'yield Touch(f"file {name}", tells)',
        "pass",
        ("contents", "offsets"),
    ),
    "names": Mend(
        "lens/calls/subjects.py",
        'yield Touch(f"name {path}", changes)',
        "changes = False",
        ("names", "folders"),
    ),
    "where the own folder is": Mend(
        "lens/calls/subjects.py",
        "yield from _on_the_way_to(paths.base(tracee, paths.AT_FDCWD))",
        "yield from ()",
        ("folders",),
        ("go(", 'rename("folder"'),
    ),
    "that a folder has been removed": Mend(
        "lens/calls/paths.py",
        'os.readlink(link).removesuffix(" (deleted)")',
        "os.readlink(link)",
        ("folders",),
        ("go(", "rmdir(", 'put("new"'),
    ),
    "semaphores and messages": Mend(
        "lens/calls/subjects.py",
        "yield Touch(str(subject.sort), tells)",
        "pass",
        ("semaphores", "messages"),
    ),
    "locks": Mend(
        "lens/calls/touching.py",
        'yield Touch("lock " + touch.resource.partition(" ")[2], tells=True)',
        'yield Touch("lock " + touch.resource.partition(" ")[2], tells=False)',
        ("locks",),
        ("F_SETLK,", "F_GETLK", "LOCK_NB", "LOCK_UN"),
    ),
    "what lasts from before the first fork": Mend(
        "lens/loop/holding.py",
        "if is_alone and touching.lasts(call):",
        "if False:",
        ("locks",),
        ("F_SETLK, F_WRLCK", "close(open"),
    ),
    "priorities": Mend(
        "lens/calls/subjects.py",
        'yield Touch(f"process {member.name}", tells)',
        "yield from ()",
        ("processes",),
        ("priority",),
    ),
    # That to end is two steps has no mutant here: test_ending.py says what has to be found.
    "what is told in a channel": Mend(
        "lens/calls/subjects.py",
        "yield Touch(end.channel, tells)",
        "yield Touch(end.channel, tells=False)",
        ("eventfds", "queues"),
    ),
    "who has an eventfd not wait": Mend(
        "lens/loop/stepping.py",
        "flags = descriptors.flags(pid, number) & os.O_NONBLOCK",
        "flags = 0",
        ("eventfds",),
        ("F_SETFL", "flags_of"),
    ),
    "who waits at a channel already": Mend(
        "lens/loop/attempts.py",
        "if not waits and not has_waited:",
        "if not waits:",
        ("eventfds",),
        ("count_down(counter)", "F_SETFL, O_NONBLOCK"),
    ),
    "who else has a side of it": Mend(
        "lens/world/channels.py",
        "open_ends.count(End(name, OTHER)),",
        "1,",
        ("streams",),
        ("get_one(pair[0])", "close(pair[1])", "write(pair[1]"),
    ),
    "that a socket was shut down": Mend(
        "lens/loop/attempts.py",
        "has_news = call.name in RECEIVES and",
        "has_news = False and",
        ("datagrams",),
    ),
    "errors and ends in poll": Mend(
        "lens/calls/wanting.py",
        "yield Wanted(number, asked, asked | _ALWAYS)",
        "yield Wanted(number, asked, asked)",
        ("polls",),
        ("ready(ends[0], POLLIN, -1)", "close(ends[1])"),
    ),
    "errors and ends in select": Mend(
        "lens/calls/wanting.py",
        "yield Wanted(number, asked, asked | others)",
        "yield Wanted(number, asked, asked)",
        ("polls",),
        ("one_of(ends[0], counter, 0)", "close(ends[1])"),
    ),
    "what poll tells": Mend(
        "lens/loop/stepping.py",
        "tracee.saw(*polling.told(tracee, call, result))",
        "pass",
        ("polls",),
        ("ready(pair[0], POLLIN | POLLOUT, 0)", "write(pair[1]"),
    ),
    "signals that poll tells of": Mend(
        "lens/calls/polling.py",
        "if one.asked & select.POLLIN and signals & pending:",
        "if False:",
        ("signalfds",),
        ("ready(", "kill(first", "kill(child"),
    ),
    "what signalfd tells": Mend(
        "lens/loop/stepping.py",
        "tracee.saw(content[place : place + _BEFORE_TIMES])",
        "pass",
        ("signalfds",),
        ("next_signal", "kill(first", "kill(child", "kill(getpid"),
    ),
    "for what epoll waits": Mend(
        "lens/calls/polling.py",
        "found.update(_of_descriptor(run, tracee, number))",
        "found.update(_of_descriptor(run, tracee, number) if call.name not in EPOLLS else ())",
        ("epolls",),
        ("next_of_all", "count_", "write(ends[1]"),
    ),
    # That who waits in open(2) counts as one who has it open (Channels.ends_of) has no mutant here: whoever opens
    # the FIFO looks at those who wait, by its footprint, and who comes there has seen all that was done to it before.
    "whom it wakes who opens a FIFO": Mend(
        "steps/footprint.py",
        "yield from _who_waits_in_open(state)",
        "pass",
        ("fifos",),
        ("open_fifo",),
    ),
    "who goes back into open": Mend(
        "lens/loop/stepping.py",
        "return waits and masks is not None and not masks.deliverable",
        "return False",
        ("fifos",),
        ("open_fifo",),
    ),
    "to wait for a POSIX semaphore": Mend(
        "steps/moves.py",
        "return is_free(state, name), False",
        "return place.at_semaphore.initial > 0, False",
        ("posix semaphores",),
    ),
    "what a POSIX semaphore counts": Mend(
        "lens/loop/observing.py",
        "state[facts.RESOURCE, resource] = value",
        "pass",
        ("posix semaphores",),
    ),
    "names of POSIX semaphores": Mend(
        "lens/calls/semaphores.py",
        "if path else []",
        "if not path else []",
        ("named semaphores",),
    ),
    "what a signal does to who waits for a POSIX semaphore": Mend(
        "lens/loop/trapping.py",
        "elif _breaks_off(run, tracee, call):",
        "elif False:",
        ("interrupted semaphores",),
    ),
}
LOOK = "from test_shared_runs import look_until; look_until({!r})"
MOST = 100  # programs to look at
FEW = 2  # calls in a row: what is wrong shows in small programs too, and many of them are looked at in the same time


def look_until(name: str) -> None:
    """Ends with 1 as soon as a fault is seen: in a process of its own, with the forklab on its path.

    Prints the number of the program, and the fault.
    """
    for seed in range(MOST):
        if faults := compare(program_for(name, seed), Path.cwd()).faults:
            print(seed, faults)
            sys.exit(1)


def program_for(name: str, seed: int) -> str:
    """One that may tell whether this mend is there."""
    return random_sharing(seed, MENDS[name].kinds, MENDS[name].words, most=FEW)


@pytest.mark.parametrize("name", MENDS)
def test_each_mend_stands_where_it_is_said(name: str) -> None:
    assert times_there(*MENDS[name][:2]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", MENDS)
def test_without_this_mend_a_fault_is_seen_and_with_it_none(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, right, wrong, *_ = MENDS[name]
    done = said_without(file, right, wrong, LOOK.format(name), tmp_path)
    print(done.stdout)
    assert done.returncode == 1 and not done.stderr, done.stderr
    here = tmp_path / "here"
    monkeypatch.chdir(here)
    assert not compare(program_for(name, int(done.stdout.split()[0])), here).faults
