"""Programs at rest, and those that never rest. Whatever happens, nobody is left behind."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forklab.history import State, Tree
from forklab.lens.untraced import runner
from forklab.lens.untraced.quiet import Look, everybody_sleeps
from forklab.lens.untraced.snapshot import (
    CannotRunError,
    Snapshot,
    names_by_position,
    renumbered,
    snapshot,
)


def python(program: str, seconds: float = 20.0) -> Snapshot:
    return snapshot([sys.executable, "-c", program], seconds=seconds)


def shape(seen: Snapshot) -> list[tuple[str, str | None]]:
    return [(node.name, node.parent) for node in seen.tree]


def test_children_are_named_in_fork_order_and_numbered_row_by_row() -> None:
    seen = python("import os, sys; os.fork(); os.fork(); print(os.getpid()); sys.stdin.read()")
    assert shape(seen) == [("P", None), ("P.1", "P"), ("P.2", "P"), ("P.1.1", "P.1")]
    assert [node.pid for node in seen.tree] == [1000, 1001, 1002, 1003]
    assert seen.output == "1000\n1001\n1002\n1003\n"


def test_statuses_are_told_by_name() -> None:
    program = (
        "import os, sys\n"
        "pid = os.fork()\n"
        "sys.stdin.read()\n"
        "os._exit(7) if pid else os.kill(os.getpid(), 9)\n"
    )
    assert dict(python(program).statuses) == {"P": 7, "P.1": -9}


def test_a_zombie_at_rest_is_a_zombie_with_its_status() -> None:
    program = "import os, sys\nif os.fork() == 0: os._exit(5)\nsys.stdin.read()"
    zombie = python(program).tree["P.1"]
    assert (zombie.state, zombie.status) == (State.ZOMBIE, 5)


def test_a_stopped_process_is_at_rest_and_does_not_outlive_the_lens() -> None:
    program = (
        "import os, signal, sys\n"
        "if os.fork() == 0: os.kill(os.getpid(), signal.SIGSTOP)\n"
        "sys.stdin.read()"
    )
    seen = python(program)
    assert seen.tree["P.1"].state is State.STOPPED
    assert seen.left == ("P.1",)


def test_an_orphan_hangs_below_the_lens_that_has_adopted_it() -> None:
    program = (
        "import os, sys\n"
        "if os.fork() == 0:\n"
        "    if os.fork(): os._exit(0)\n"
        "    sys.stdin.read(); os._exit(0)\n"
        "os.wait(); sys.stdin.read()\n"
    )
    seen = python(program)
    assert shape(seen) == [("forklab", None), ("P", "forklab"), ("O1", "forklab")]
    assert seen.tree["forklab"].reaper


def test_a_process_blocked_in_wait_is_remarked_as_waiting() -> None:
    seen = python("import os, sys\nos.wait() if os.fork() else sys.stdin.read()")
    if not seen.remarks:
        pytest.skip("this kernel does not tell in which system call a process is")
    assert {name: remark.state for name, remark in seen.remarks.items()} == {"P": State.WAITING}


def test_a_program_has_a_terminal_as_output_and_its_lines_end_as_it_wrote_them() -> None:
    seen = python("import os, sys; print(os.isatty(1), os.isatty(2)); sys.stdin.read()")
    assert seen.output == "True True\n"


def test_a_program_that_ends_before_it_rests_has_no_tree_but_output_and_status() -> None:
    seen = python("print('quick', flush=True); raise SystemExit(4)")
    assert (len(seen.tree), seen.output, seen.statuses["P"]) == (0, "quick\n", 4)


def test_last_words_after_the_input_ended_are_heard() -> None:
    seen = python("import sys; sys.stdin.read(); print('x' * 50000)")
    assert seen.output == "x" * 50000 + "\n"


def test_an_endless_loop_is_ended_and_shown_as_it_stood() -> None:
    seen = python("while True: pass", seconds=1.0)
    assert seen.ended_early is not None and "within 1 seconds" in seen.ended_early
    assert shape(seen) == [("P", None)]


def test_endless_output_is_cut() -> None:
    seen = snapshot(["yes"], seconds=30)
    assert seen.ended_early is not None and "megabyte" in seen.ended_early
    assert len(seen.output) == 1_000_000


def test_too_many_processes_are_ended() -> None:
    program = "import os\nfor _ in range(300):\n    if os.fork() == 0: os.read(0, 1); os._exit(0)\ninput()"
    seen = python(program, seconds=60)
    assert seen.ended_early is not None and "200 processes" in seen.ended_early


@pytest.mark.parametrize(
    ("program", "words"),
    [("no-such-program", "No such file"), ("/etc/passwd", "Permission denied")],
)
def test_what_cannot_be_run_is_said_in_words(
    program: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.defpath)
    with pytest.raises(CannotRunError, match=words):
        snapshot([program])


def read_in_time(reader: int) -> bytes:
    """A byte from a pipe; b"" once all who held its other end are dead."""
    assert select.select([reader], [], [], 30)[0], "somebody is left"
    return os.read(reader, 1)


# Each of them leaves its group and session, ignores what can be ignored, and would live for ever.
# What it inherits from us is an end of a pipe: the kernel closes that when it is dead.
STUBBORN = """
import os, signal
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
for _ in range(2):
    if os.fork() == 0: os.setsid()
os.write({fd}, b"!")
while True: signal.pause()
"""

ASKER = """
import sys
from forklab.lens.untraced.snapshot import snapshot
snapshot([sys.executable, "-c", sys.argv[1]], seconds=60)
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGKILL])
def test_nobody_is_left_when_the_one_who_asked_is_ended(ending: signal.Signals) -> None:
    fifo_reader, fifo_writer = os.pipe()
    path = f"/proc/{os.getpid()}/fd/{fifo_writer}"
    busy = STUBBORN.format(fd=f"(end := os.open('{path}', os.O_WRONLY))").replace(
        "while True: signal.pause()", "while True: pass"
    )
    asker = subprocess.Popen([sys.executable, "-c", ASKER, busy], stderr=subprocess.DEVNULL)
    try:
        assert read_in_time(fifo_reader) == b"!"  # it runs
        os.close(fifo_writer)
        asker.send_signal(ending)
        asker.wait(timeout=30)
        while read_in_time(fifo_reader):
            pass  # the others' marks; then the end: everybody is dead
    finally:
        asker.kill()
        asker.wait()
        os.close(fifo_reader)


def test_nobody_is_left_when_the_runner_itself_is_killed() -> None:
    fifo_reader, fifo_writer = os.pipe()
    path = f"/proc/{os.getpid()}/fd/{fifo_writer}"
    program = (
        f"import os; end = os.open('{path}', os.O_WRONLY); os.fork(); os.write(end, b'!')\n"
        "while True: pass"
    )
    asker = subprocess.Popen([sys.executable, "-c", ASKER, program], stderr=subprocess.DEVNULL)
    try:
        assert read_in_time(fifo_reader) == b"!"
        os.close(fifo_writer)
        psutil.Process(asker.pid).children()[0].kill()
        assert asker.wait(timeout=30) != 0
        while read_in_time(fifo_reader):
            pass
    finally:
        asker.kill()
        asker.wait()
        os.close(fifo_reader)


def looks_in_turn(monkeypatch: pytest.MonkeyPatch, looks: list[Look]) -> list[Look]:
    """What is left of `looks` after the runner, which sees one of them each time, saw a tree."""
    monkeypatch.setattr(runner, "look_below", lambda root: frozenset({looks.pop(0)}))
    monkeypatch.setattr(runner, "live_tree", lambda root: Tree(()))
    monkeypatch.setattr(runner.Watched, "listen", lambda self, pause=0: False)
    assert runner.Watched(1, -1, -1, 0.0).tree_at_rest() is not None
    return looks


def test_a_tree_is_not_taken_while_somebody_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    running, asleep = Look(1, 1, "R", ("5", "0")), Look(1, 1, "S", ("6", "0"))
    assert looks_in_turn(monkeypatch, [running, running, running, asleep, asleep]) == []


def test_a_tree_is_not_taken_if_somebody_ran_between_two_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, after = Look(1, 1, "S", ("5", "0")), Look(1, 1, "S", ("6", "0"))
    assert looks_in_turn(monkeypatch, [before, after, after, after]) == []


def test_rest_means_that_every_thread_sleeps() -> None:
    asleep, running = Look(1, 1, "S", ("5", "0")), Look(1, 2, "R", ("5", "0"))
    assert everybody_sleeps(frozenset({asleep}))
    assert not everybody_sleeps(frozenset({asleep, running}))
    assert not everybody_sleeps(frozenset({Look(1, 1, "D", ("5", "0"))}))


@given(st.dictionaries(st.integers(2, 30), st.integers(1, 30), max_size=20))
def test_names_say_who_is_whose_child(parents: dict[int, int]) -> None:
    """Any forest below the lens (1) in which a child has a higher number than its parent."""
    tree = {child: min(parent, child - 1) for child, parent in sorted(parents.items())}
    tree = {child: parent if parent in tree else 1 for child, parent in tree.items()}
    tree[2] = 1
    children: dict[int, list[int]] = {}
    for child, parent in sorted(tree.items()):
        children.setdefault(parent, []).append(child)
    names = names_by_position(2, 1, children)
    assert set(names) == set(tree)
    assert len(set(names.values())) == len(names)
    for child, parent in tree.items():
        if parent != 1:
            place = children[parent].index(child) + 1
            assert names[child] == f"{names[parent]}.{place}"


def test_lines_come_in_the_order_of_our_numbers_if_each_tells_a_pid() -> None:
    pids = {502: 1000, 501: 1001}
    assert renumbered("b 501\na 502\nc 501\n", pids) == "a 1000\nb 1001\nc 1001\n"
    assert renumbered("b 501\nhello\na 502\n", pids) == "b 1001\nhello\na 1000\n"


def test_only_whole_numbers_are_pids() -> None:
    assert renumbered("7 77 a7 7.\n", {7: 1000}) == "1000 77 a7 1000.\n"
