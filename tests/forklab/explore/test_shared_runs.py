"""What happens to what processes share, when nobody holds them, is among the outcomes that are found.

And that this would be seen: each mend of the explorer is taken out again, in a copy, and then some program does what
was not foreseen.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from random_sharing import CALLS, random_sharing
from real_kernel import UNSHARE
from test_real_runs import INIT, LAST_HEADER, NOISE, Seen

import forklab
from forklab.explore import Exploration, explore
from forklab.lens.record import record
from forklab.runnable import Runnable
from forklab.source import program_of

pytestmark = pytest.mark.usefixtures("pid_namespaces")

RUNS = 15  # of each program, by nobody's order
SEEDS = 4  # and with each of these
SECONDS = 15.0  # for all schedules of one
DEADLINE = 20.0  # for one run: so long, and it waits for ever
SOON = 0.5  # the same for a program of which it is known that it may
FOR_EVER: Seen = ("waits for ever", None)
COMMAND = [UNSHARE[0], "--ipc", *UNSHARE[1:], sys.executable, "-I", "-S", "-c", INIT]


class Compared(NamedTuple):
    """The outcomes that were found, and those that were seen."""

    found: set[Seen]
    seen: set[Seen]


def real_run(program: str, folder: Path, deadline: float) -> Seen:
    """In a folder of its own."""
    with tempfile.TemporaryDirectory(dir=folder) as here:
        try:
            done = subprocess.run(
                [*COMMAND, program],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=deadline,
                check=True,
                cwd=here,
            )
        except subprocess.TimeoutExpired:
            return FOR_EVER
        finally:
            forget_semaphores(Path(here))
    return done.stdout, int(done.stderr)


def forget_semaphores(folder: Path) -> None:
    """Those of POSIX have their names elsewhere: here each is called after its folder."""
    Path(f"/dev/shm/sem.forklab-{folder.stat().st_ino}").unlink(missing_ok=True)


def possible(found: Exploration) -> set[Seen]:
    return {
        FOR_EVER if outcome.deadlock else (outcome.output, outcome.end.status)
        for outcome in found.outcomes
    }


def led_run(program: Runnable, folder: Path, seed: int) -> Seen:
    recording = record(program.argv, program=program.path, seed=seed)
    for name in os.listdir(folder):
        (shutil.rmtree if os.path.isdir(name) else os.unlink)(name)
    forget_semaphores(folder)
    return FOR_EVER if recording.ended_early else (recording.output, recording.status)


def compare(seed: int, folder: Path, kinds: Iterable[str] = CALLS) -> Compared | None:
    """None where not everything was found, which was said."""
    text = random_sharing(seed, kinds)
    with program_of("c", text) as program:
        found = explore(program.argv, program=program.path, seconds=SECONDS)
        assert not os.listdir(folder), text  # it leaves files as they were
        if not found.complete:
            return None
        seen = {led_run(program, folder, number) for number in range(SEEDS)}
    with program_of("c", text.replace(LAST_HEADER, NOISE)) as program:
        assert program.path is not None
        deadline = SOON if FOR_EVER in possible(found) else DEADLINE
        seen |= {real_run(program.path, folder, deadline) for _ in range(RUNS)}
    return Compared(possible(found), seen)


def unforeseen(seed: int, folder: Path, kinds: Iterable[str] = CALLS) -> set[Seen]:
    both = compare(seed, folder, kinds)
    return both.seen - both.found if both else set()


def check(seeds: range, folder: Path) -> None:
    compared = {seed: both for seed in seeds if (both := compare(seed, folder)) is not None}
    for seed, (found, seen) in compared.items():
        assert seen <= found, random_sharing(seed)
    assert len(compared) > len(seeds) // 2
    # The noise is of use: chance finds a good part of the outcomes as well.
    of_all = sum(len(found) for found, _ in compared.values())
    assert 4 * sum(len(seen) for _, seen in compared.values()) > of_all


def test_what_really_happens_was_foreseen(folder: Path) -> None:
    check(range(10), folder)


@pytest.mark.slow
@pytest.mark.parametrize("hundred", range(1, 6))
def test_what_really_happens_was_foreseen_of_many(hundred: int, folder: Path) -> None:
    check(range(100 * hundred, 100 * hundred + 100), folder)


class Mend(NamedTuple):
    """What stands in a file of forklab, and what would be wrong in its place; programs of these kinds show it."""

    file: str
    right: str
    wrong: str
    kinds: tuple[str, ...] = tuple(CALLS)


MENDS = {
    "which end of a pipe it is": Mend(
        "lens/loop/holding.py",
        "return pipe if side_of(tracee.member.pid, descriptor) == side else None",
        "return pipe",
    ),
    "to read nothing": Mend(
        "lens/loop/holding.py",
        'return (pipe.name, size) if pipe and size else None\n    if name == "fcntl"',
        'return (pipe.name, size) if pipe else None\n    if name == "fcntl"',
    ),
    "who must not wait": Mend(
        "steps/moves.py", " or READ_END in pipe.nonblocking), False", "), False"
    ),
    "flags of a pipe": Mend(
        "lens/loop/holding.py",
        "int32(arguments[1]) in (F_GETFL, F_SETFL):",
        "int32(arguments[1]) == F_GETFL and not pipes.any:",
    ),
    "who sleeps by then": Mend(
        "lens/loop/piping.py",
        "if int32(call.arguments[1]) != F_SETFL or",
        "if int32(call.arguments[1]) == F_SETFL or",
    ),
    "an offset that is shared": Mend(
        "lens/calls/touching.py",
        'tells = _is_shared(run, tracee, number, file)\n        yield Touch(f"file',
        'tells = False\n        yield Touch(f"file',
    ),
    "what is in files": Mend(
        "lens/calls/touching.py", 'yield Touch(f"file {name}", tells)', "pass"
    ),
    "names": Mend(
        "lens/calls/touching.py", 'yield Touch(f"name {path}", changes)', "changes = False"
    ),
    "semaphores and messages": Mend(
        "lens/calls/touching.py", "yield Touch(str(subject.sort), tells)", "pass"
    ),
    "to wait for a semaphore, a message, a lock": Mend(
        "steps/moves.py",
        "place.blocked is None or place.blocked != facts.values_of(state, place.touches)",
        "place.blocked is None",
    ),
    "locks": Mend(
        "lens/calls/touching.py",
        'yield Touch("lock " + touch.resource.partition(" ")[2], tells=True)',
        'yield Touch("lock " + touch.resource.partition(" ")[2], tells=False)',
    ),
    "priorities": Mend(
        "lens/calls/touching.py", 'yield Touch(f"process {member.name}", tells)', "yield from ()"
    ),
    "to wait for a POSIX semaphore": Mend(
        "steps/moves.py",
        "return facts.is_free(state, name), False",
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
LOOK = "import sys; from test_shared_runs import look_until; look_until(sys.argv[1:])"
MOST = 300  # programs to look at


def look_until(kinds: Iterable[str]) -> None:
    """Ends with 1 as soon as something was not foreseen: in a process of its own, with the forklab on its path."""
    for seed in range(MOST):
        if unforeseen(seed, Path.cwd(), kinds):
            sys.exit(1)


@pytest.mark.parametrize("name", MENDS)
def test_each_mend_stands_where_it_is_said(name: str) -> None:
    file, right, *_ = MENDS[name]
    assert (Path(forklab.__file__).parent / file).read_text(encoding="utf-8").count(right) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", MENDS)
def test_without_this_mend_something_is_not_foreseen(name: str, tmp_path: Path) -> None:
    package = tmp_path / "path" / "forklab"
    shutil.copytree(Path(forklab.__file__).parent, package)
    file, right, wrong, kinds = MENDS[name]
    text = (package / file).read_text(encoding="utf-8")
    assert text.count(right) == 1
    (package / file).write_text(text.replace(right, wrong), encoding="utf-8")
    here = Path(__file__).parent
    path = os.pathsep.join(map(str, [package.parent, here, here.parent, here.parent.parent]))
    folder = tmp_path / "here"
    folder.mkdir()
    environment = {**os.environ, "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, "-c", LOOK, *kinds],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1 and not done.stderr, done.stderr
