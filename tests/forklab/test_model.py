"""Births, deaths, orphans, waits, groups: the rules of the ideal kernel, one promise a test."""

from __future__ import annotations

import pytest
from applied_actions import after, applied, family, lines

from forklab.history import State
from forklab.model import (
    ANY_CHILD,
    Action,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exec,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    ModelError,
    SetForeground,
    SetGroup,
    StartSession,
    Table,
    TakeTerminal,
    Wait,
    apply,
)

# Births and deaths


def test_a_child_inherits_what_its_parent_does_to_signals_and_where_it_stands() -> None:
    table = after(
        Ignore("init", "SIGHUP"),
        Catch("init", "SIGTERM"),
        Block("init", frozenset({"SIGUSR1"})),
        Fork("init", "a"),
        SetGroup("a", "a", "a"),
        Fork("a", "b"),
    )
    assert (table["b"].ignored, table["b"].caught) == ({"SIGHUP"}, {"SIGTERM"})
    assert (table["b"].blocked, table["b"].group, table["b"].session) == ({"SIGUSR1"}, "a", "init")


def test_a_child_is_no_subreaper_and_has_nothing_pending() -> None:
    table = after(
        BecomeSubreaper("init"),
        Block("init", frozenset({"SIGTERM"})),
        Kill(None, "init", "SIGTERM"),
        Fork("init", "a"),
    )
    assert not table["a"].subreaper
    assert table["a"].pending == ()


def test_exit_tells_the_lowest_eight_bits() -> None:
    table, events = applied(Fork("init", "a"), Exit("a", 256 + 42))
    assert table["a"].status == 42
    assert lines(events) == ["fork init child=a", "exit a status=42"]


def test_the_dead_stay_zombies_until_their_parent_waits() -> None:
    table = after(Fork("init", "a"), Exit("a", 3))
    assert table["a"].state is State.ZOMBIE
    table, events = applied(Wait("init"), start=table)
    assert table["a"].state is State.REAPED
    assert lines(events) == ["reaped a by=init status=3"]


def test_exec_resets_what_is_caught_and_keeps_the_rest() -> None:
    table = after(
        Fork("init", "a"),
        Catch("a", "SIGTERM"),
        Ignore("a", "SIGHUP"),
        Block("a", frozenset({"SIGUSR1"})),
        Kill(None, "a", "SIGUSR1"),
        Exec("a", ("true",)),
    )
    a = table["a"]
    assert (a.caught, a.ignored, a.blocked) == (frozenset(), {"SIGHUP"}, {"SIGUSR1"})
    assert a.pending_signals == {"SIGUSR1"}


# Orphans


def test_only_the_children_of_the_dead_move_and_theirs_stay_with_them() -> None:
    table, events = applied(*family("a", "b", "c"), Exit("a", 0))
    assert (table["b"].parent, table["c"].parent) == ("init", "b")
    assert lines(events)[-1:] == ["reparented b new=init old=a"]


def test_zombies_are_re_parented_too() -> None:
    table = after(*family("a", "b"), Exit("b", 7), Exit("a", 0), Wait("init", "b"))
    assert table["b"].reaped_by == "init"


def test_the_nearest_subreaper_adopts_the_orphan() -> None:
    near = after(
        *family("a", "b", "c", "d"), BecomeSubreaper("a"), BecomeSubreaper("b"), Exit("c", 0)
    )
    assert near["d"].parent == "b"


def test_the_children_of_a_dead_subreaper_go_to_the_next_one() -> None:
    table = after(*family("a", "b", "c"), BecomeSubreaper("a"), BecomeSubreaper("b"), Exit("b", 0))
    assert table["c"].parent == "a"


def test_a_sibling_that_is_a_subreaper_adopts_nobody() -> None:
    table = after(
        Fork("init", "a"),
        Fork("init", "uncle"),
        BecomeSubreaper("uncle"),
        Fork("a", "b"),
        Exit("a", 0),
    )
    assert table["b"].parent == "init"


def test_when_pid_1_dies_its_namespace_is_killed_and_reaped_in_its_name() -> None:
    table, events = applied(
        Fork("keeper", "init", new_namespace=True),
        Fork("init", "a"),
        Fork("a", "b"),
        Exit("init", 5),
        start=Table.starting_with("keeper", pid1=False),
    )
    assert lines(events)[3:] == [
        "exit init status=5",
        "killed a signal=SIGKILL",
        "killed b signal=SIGKILL",
        "reaped a by=init status=-9",
        "reaped b by=init status=-9",
    ]
    assert table["init"].state is State.ZOMBIE
    assert table["keeper"].state is State.RUNNING


# Waiting


def test_a_blocked_wait_ends_with_the_death_it_waits_for() -> None:
    table = after(Fork("init", "a"), Fork("init", "b"), Wait("init", "b"))
    assert (table["init"].state, table["init"].waits_for) == (State.WAITING, "b")
    table = after(Exit("a", 0), start=table)
    assert (table["init"].state, table["a"].state) == (State.WAITING, State.ZOMBIE)
    table = after(Exit("b", 1), start=table)
    assert (table["init"].state, table["b"].reaped_by) == (State.RUNNING, "init")


def test_a_wait_for_any_child_reaps_the_one_that_has_been_its_child_the_longest() -> None:
    start = after(
        *family("a", "late"), Fork("init", "b"), Exit("late", 0), Exit("b", 0), Exit("a", 0)
    )
    assert [child.name for child in start.children("init")] == ["a", "b", "late"]
    order = applied(Wait("init"), Wait("init"), Wait("init"), start=start)[1]
    assert [event.process for event in order] == ["a", "b", "late"]


def test_a_wait_without_blocking_answers_at_once() -> None:
    table, events = applied(Fork("init", "a"), Wait("init", block=False))
    assert table["init"].state is State.RUNNING
    assert lines(events) == ["fork init child=a"]


@pytest.mark.parametrize("child", [None, "c", "init"])
def test_who_has_no_fitting_child_cannot_wait(child: str | None) -> None:
    with pytest.raises(ModelError, match=r"b has no child.* to wait for \(ECHILD\)") as refusal:
        after(*family("a", "b"), Fork("a", "c"), Wait("b", child))
    assert refusal.value.errno == "ECHILD"


def test_a_parent_that_ignores_sigchld_gets_no_zombies_and_no_status() -> None:
    table, events = applied(Ignore("init", "SIGCHLD"), Fork("init", "a"), Exit("a", 3))
    assert table["a"].state is State.REAPED
    assert lines(events)[-1] == "reaped a by=kernel status=3"
    with pytest.raises(ModelError, match="ECHILD"):
        after(Wait("init"), start=table)


def test_a_parent_that_ignores_sigchld_waits_until_all_its_children_are_gone() -> None:
    start = after(Ignore("init", "SIGCHLD"), Fork("init", "a"), Fork("init", "b"), Wait("init"))
    assert after(Exit("a", 0), start=start)["init"].state is State.WAITING
    assert after(Exit("a", 0), Exit("b", 0), start=start)["init"].state is State.RUNNING


def test_zombies_that_were_there_before_sigchld_was_ignored_stay() -> None:
    table = after(Fork("init", "a"), Exit("a", 0), Ignore("init", "SIGCHLD"))
    assert table["a"].state is State.ZOMBIE


def test_an_adopted_zombie_vanishes_if_its_new_parent_ignores_sigchld() -> None:
    table = after(
        Ignore("init", "SIGCHLD"),
        *family("a", "b"),
        Default("a", "SIGCHLD"),
        Exit("b", 0),
        Exit("a", 0),
    )
    assert table["b"].reaped_by == "kernel"


def test_a_stopped_parent_comes_out_of_its_wait_when_it_is_continued() -> None:
    start = after(*family("a", "b"), Wait("a"), Kill("init", "a", "SIGSTOP"), Exit("b", 0))
    assert (start["a"].state, start["b"].state) == (State.STOPPED, State.ZOMBIE)
    table = after(Kill("init", "a", "SIGCONT"), start=start)
    assert (table["a"].state, table["b"].state) == (State.RUNNING, State.REAPED)


# Groups and sessions


def test_a_parent_moves_its_child_until_that_has_called_execve() -> None:
    assert after(Fork("init", "a"), SetGroup("init", "a", "a"))["a"].group == "a"
    with pytest.raises(ModelError, match="EACCES"):
        after(Fork("init", "a"), Exec("a", ("true",)), SetGroup("init", "a", "a"))


def test_nobody_moves_a_child_of_another_session() -> None:
    # grandchild is adopted by init, but stands in the session that its dead parent had started.
    table = after(
        *family("child", "x"), StartSession("child"), Fork("child", "grandchild"), Exit("child", 0)
    )
    with pytest.raises(ModelError, match="in another session"):
        after(SetGroup("init", "grandchild", "grandchild"), start=table)


@pytest.mark.parametrize(
    ("action", "errno"),
    [
        (SetGroup("b", "a", "a"), "ESRCH"),  # its parent
        (SetGroup("init", "init", "init"), "EPERM"),  # leads a session
        (SetGroup("a", "a", "b"), "EPERM"),  # no such group
        (StartSession("init"), "EPERM"),  # leads a group
        (Kill("a", "gone", "SIGTERM"), "ESRCH"),
        (Kill("a", "nobody", "SIGTERM"), "ESRCH"),
        (KillGroup("a", "b", "SIGTERM"), "ESRCH"),
        (SetForeground("a", "a"), "ENOTTY"),
        (TakeTerminal("a"), "EPERM"),
    ],
)
def test_what_the_kernel_refuses(action: Action, errno: str) -> None:
    table = after(*family("a", "b"), Fork("init", "gone"), Exit("gone", 0), Wait("init", "gone"))
    with pytest.raises(ModelError) as refusal:
        apply(table, action)
    assert refusal.value.errno == errno


def test_the_death_of_a_session_leader_hangs_up_the_foreground_group() -> None:
    table = after(
        Fork("init", "shell"),
        StartSession("shell"),
        TakeTerminal("shell"),
        Fork("shell", "job"),
        SetGroup("shell", "job", "job"),
        Fork("shell", "background"),
        SetGroup("shell", "background", "background"),
        SetForeground("shell", "job"),
        Exit("shell", 0),
    )
    assert (table["job"].status, table["background"].state) == (-1, State.RUNNING)


# Nonsense


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ([Exit("a", 3)], "a cannot fork: it exited with 3"),
        ([Kill(None, "a", "SIGKILL")], "a cannot fork: it was killed by SIGKILL"),
        ([Kill(None, "a", "SIGSTOP")], "a cannot fork: it is stopped"),
        ([Fork("a", "b"), Wait("a")], f"a cannot fork: it is blocked, waiting for {ANY_CHILD}"),
    ],
)
def test_who_cannot_act_is_told_why(before: list[Action], words: str) -> None:
    with pytest.raises(ModelError) as refusal:
        after(Fork("init", "a"), *before, Fork("a", "late"))
    assert str(refusal.value) == words
    assert refusal.value.errno is None


def test_a_name_is_used_once() -> None:
    with pytest.raises(ModelError, match="names are not used twice"):
        after(Fork("init", "a"), Exit("a", 0), Wait("init"), Fork("init", "a"))


def test_the_reaper_of_last_resort_must_not_die() -> None:
    with pytest.raises(ModelError, match="last resort"):
        after(Exit("keeper", 0), start=Table.starting_with("keeper", pid1=False))
