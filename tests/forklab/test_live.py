"""The live tree, held against real processes that a test starts and holds in the state it needs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import psutil
import pytest

from forklab import live
from forklab.history import State, Tree
from forklab.live import live_tree


@contextmanager
def child(code: str) -> Iterator[int]:
    """The pid of a child that runs this Python code; killed and reaped at the end."""
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    try:
        yield process.pid
    finally:
        process.kill()
        process.communicate()


def until_it(pid: int, has: int) -> None:
    """Wait until the child `pid` has exited or stopped, and leave it as it is."""
    os.waitid(os.P_PID, pid, has | os.WNOWAIT)


def node_of(tree: Tree, pid: int) -> live.Node:
    return next(node for node in tree if node.pid == pid)


def test_this_process_is_in_the_tree_below_its_own_parent() -> None:
    tree = live_tree()
    me = node_of(tree, os.getpid())
    assert me.parent is not None
    assert tree[me.parent].pid == os.getppid()
    assert me.state is State.RUNNING


def test_a_child_that_nobody_waited_for_is_a_zombie_with_its_exit_status() -> None:
    with child("raise SystemExit(3)") as pid:
        until_it(pid, os.WEXITED)
        zombie = node_of(live_tree(), pid)
    assert (zombie.state, zombie.status, zombie.signal) == (State.ZOMBIE, 3, None)


def test_a_zombie_that_exited_with_0_says_so() -> None:
    with child("") as pid:
        until_it(pid, os.WEXITED)
        assert node_of(live_tree(), pid).status == 0


@pytest.mark.parametrize(
    ("number", "name"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGRTMIN + 1, "SIGRTMIN+1")]
)
def test_a_zombie_that_a_signal_killed_names_the_signal(number: int, name: str) -> None:
    with child(f"import os; os.kill(os.getpid(), {number:d})") as pid:
        until_it(pid, os.WEXITED)
        zombie = node_of(live_tree(), pid)
    assert (zombie.state, zombie.status, zombie.signal) == (State.ZOMBIE, None, name)


def test_an_exit_status_of_0_that_the_kernel_may_have_hidden_is_not_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with child("") as pid:
        until_it(pid, os.WEXITED)
        monkeypatch.setattr(os, "geteuid", lambda: 54321)
        zombie = node_of(live_tree(), pid)
    assert (zombie.state, zombie.status) == (State.ZOMBIE, None)


def test_a_stopped_process_is_stopped_and_when_continued_runs_again() -> None:
    with child("input()") as pid:
        os.kill(pid, signal.SIGSTOP)
        until_it(pid, os.WSTOPPED)
        assert node_of(live_tree(), pid).state is State.STOPPED
        os.kill(pid, signal.SIGCONT)
        until_it(pid, os.WCONTINUED)
        assert node_of(live_tree(), pid).state is State.RUNNING


def test_a_parent_blocked_in_wait_is_waiting() -> None:
    code = "import os; os.fork() and os.wait(); os.read(0, 1)"
    with child(code) as pid:
        try:
            Path(f"/proc/{os.getpid()}/syscall").read_text()
        except OSError:
            pytest.skip("this kernel does not tell in which system call a process is")
        deadline = time.monotonic() + 30
        while node_of(live_tree(pid), pid).state is not State.WAITING:
            assert time.monotonic() < deadline, "it never waits"
        os.kill(psutil.Process(pid).children()[0].pid, signal.SIGKILL)


def test_with_a_root_the_tree_is_that_process_and_all_below_it() -> None:
    with child("import os; os.fork(); os.read(0, 1)") as pid:
        parent = psutil.Process(pid)
        deadline = time.monotonic() + 30
        while not (grandchildren := parent.children()):
            assert time.monotonic() < deadline, "it never forks"
        tree = live_tree(pid)
        root = tree.roots()[0]
        assert [node.pid for node in tree] == [pid, grandchildren[0].pid]
        assert [node.pid for node in tree.children(root.name)] == [grandchildren[0].pid]
        assert root.parent is None


def test_children_come_in_the_order_in_which_they_were_forked() -> None:
    children = [subprocess.Popen(["cat"], stdin=subprocess.PIPE) for _ in range(12)]
    try:
        tree = live_tree(os.getpid())
        ours = {process.pid for process in children}
        seen = [n.pid for n in tree.children(tree.roots()[0].name) if n.pid in ours]
        assert seen == [process.pid for process in children]
    finally:
        for process in children:
            process.communicate()


def test_fork_order_holds_also_where_pids_began_again_from_the_bottom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = psutil.Process()
    family = [live._Seen(process, pid, 7, "cat", 5.0, "sleeping") for pid in (3, 4, 32766)]
    monkeypatch.setattr(live, "_children_file", lambda parent: {32766: 0, 3: 1, 4: 2})
    assert live._families(family) == {7: [32766, 3, 4]}


def test_an_unknown_root_is_an_error() -> None:
    with child("") as pid:
        pass
    with pytest.raises(ProcessLookupError, match=str(pid)):
        live_tree(pid)


def test_who_vanishes_while_we_look_is_left_out() -> None:
    with child("input()") as pid:
        before = psutil.Process(pid)
    with mock.patch.object(psutil, "process_iter", return_value=[psutil.Process(), before]):
        tree = live_tree()
    assert [node.pid for node in tree] == [os.getpid()]


def test_a_process_whose_parent_vanished_while_we_look_is_still_there() -> None:
    with (
        child("input()") as pid,
        mock.patch.object(psutil, "process_iter", return_value=[psutil.Process(pid)]),
    ):
        tree = live_tree()
    assert [(node.pid, node.parent) for node in tree] == [(pid, None)]


def test_a_younger_parent_is_a_stranger_with_a_used_pid() -> None:
    process = psutil.Process()
    old = live._Seen(process, 20, 10, "old", 1.0, "sleeping")
    stranger = live._Seen(process, 10, 0, "stranger", 2.0, "sleeping")
    assert live._with_parent_in({10: stranger, 20: old}, old).parent == 0


def test_kernel_threads_are_not_in_the_tree_of_the_machine() -> None:
    assert "kthreadd" not in {node.name for node in live_tree()}


def test_names_are_unique_and_printable() -> None:
    names = live._unique_names({1: "sh", 2: "sh", 3: "sh#2", 4: "sh", 5: "cat"})
    assert names == {1: "sh", 2: "sh#2", 3: "sh#2#2", 4: "sh#3", 5: "cat"}
    assert live._without_control_characters("evil\x1b[31m\nname") == "evil?[31m?name"
