"""What signals do in the ideal kernel, one promise a test."""

from __future__ import annotations

import pytest
from applied_actions import after, applied, family, lines

from forklab.history import State
from forklab.kernel.signals import DefaultAction, default_action, signal_name, signal_number
from forklab.model import (
    Accept,
    BecomeSubreaper,
    Block,
    Catch,
    Default,
    Exit,
    Fork,
    Ignore,
    Kill,
    KillGroup,
    ModelError,
    SetGroup,
    StartSession,
    Table,
    Unblock,
    Wait,
)

ALL = frozenset({"SIGTERM", "SIGUSR1", "SIGCHLD", "SIGTSTP", "SIGCONT", "SIGHUP"})


@pytest.mark.parametrize(
    ("signal", "state", "status"),
    [
        ("SIGTERM", State.ZOMBIE, -15),
        ("SIGQUIT", State.ZOMBIE, -3),
        ("SIGRTMIN+2", State.ZOMBIE, -36),
        ("SIGCHLD", State.RUNNING, None),
        ("SIGCONT", State.RUNNING, None),
        ("SIGSTOP", State.STOPPED, None),
    ],
)
def test_a_signal_does_what_it_does_by_default(
    signal: str, state: State, status: int | None
) -> None:
    table = after(Fork("init", "a"), Kill("init", "a", signal))
    assert (table["a"].state, table["a"].status) == (state, status)


def test_a_deadly_signal_is_told_with_its_sender() -> None:
    _, events = applied(Fork("init", "a"), Kill("init", "a", "SIGTERM"), Wait("init"))
    assert lines(events)[1:] == [
        "signal a sender=init signal=SIGTERM",
        "killed a signal=SIGTERM",
        "reaped a by=init status=-15",
    ]


def test_a_caught_signal_reaches_the_handler_and_an_ignored_one_nobody() -> None:
    _, events = applied(
        Fork("init", "a"),
        Catch("a", "SIGTERM"),
        Ignore("a", "SIGHUP"),
        Kill(None, "a", "SIGHUP"),
        Kill(None, "a", "SIGTERM"),
    )
    assert lines(events)[1:] == ["signal a signal=SIGTERM"]


def test_a_blocked_signal_is_pending_once_however_often_it_is_sent() -> None:
    table = after(Fork("init", "a"), Block("a", ALL), *[Kill(None, "a", "SIGTERM")] * 3)
    assert [pending.signal for pending in table["a"].pending] == ["SIGTERM"]
    _, events = applied(Catch("a", "SIGTERM"), Unblock("a", ALL), start=table)
    assert lines(events) == ["signal a signal=SIGTERM"]


def test_real_time_signals_queue() -> None:
    one = "SIGRTMIN+1"
    table = after(Fork("init", "a"), Block("a", frozenset({one})), *[Kill(None, "a", one)] * 3)
    assert len(table["a"].pending) == 3


def test_a_blocked_signal_is_kept_even_if_it_is_ignored() -> None:
    blocked = [
        Fork("init", "a"),
        Ignore("a", "SIGTERM"),
        Block("a", ALL),
        Kill(None, "a", "SIGTERM"),
    ]
    assert after(*blocked)["a"].pending_signals == {"SIGTERM"}
    assert after(*blocked, Default("a", "SIGTERM"), Unblock("a", ALL))["a"].status == -15


def test_ignoring_a_pending_signal_discards_it() -> None:
    table = after(
        Fork("init", "a"), Block("a", ALL), Kill(None, "a", "SIGTERM"), Ignore("a", "SIGTERM")
    )
    assert table["a"].pending == ()


def test_no_handler_runs_if_another_signal_kills_at_the_same_time() -> None:
    _, events = applied(
        Fork("init", "a"),
        Catch("a", "SIGUSR1"),
        Block("a", ALL),
        Kill(None, "a", "SIGUSR1"),
        Kill(None, "a", "SIGTERM"),
        Unblock("a", ALL),
    )
    assert lines(events)[1:] == ["signal a signal=SIGTERM", "killed a signal=SIGTERM"]


def test_of_several_signals_the_lowest_number_comes_first() -> None:
    sent = [Kill(None, "a", "SIGTERM"), Kill(None, "a", "SIGHUP")]
    table = after(Fork("init", "a"), Block("a", ALL), *sent, Unblock("a", ALL))
    assert table["a"].status == -1


def test_accept_takes_a_pending_signal_without_its_effect() -> None:
    blocked = after(Fork("init", "a"), Block("a", ALL), Kill(None, "a", "SIGTERM"))
    table = after(Accept("a", "SIGTERM"), Unblock("a", ALL), start=blocked)
    assert table["a"].state is State.RUNNING
    with pytest.raises(ModelError, match="EAGAIN"):
        after(Accept("a", "SIGTERM"), start=table)


@pytest.mark.parametrize(
    ("signal", "state"), [("SIGKILL", State.ZOMBIE), ("SIGSTOP", State.STOPPED)]
)
def test_kill_and_stop_cannot_be_blocked_nor_their_effect_changed(
    signal: str, state: State
) -> None:
    table = after(Fork("init", "a"), Block("a", frozenset({signal})), Kill("init", "a", signal))
    assert table["a"].state is state
    with pytest.raises(ModelError, match="EINVAL"):
        after(Ignore("init", signal))


@pytest.mark.parametrize("signal", ["SIGTERM", "SIGKILL", "SIGSTOP", "SIGTSTP"])
def test_pid_1_does_not_feel_signals_from_inside_that_it_does_not_catch(signal: str) -> None:
    table = after(Fork("init", "a"), Kill("a", "init", signal), Kill("init", "init", signal))
    assert (table["init"].state, table["init"].pending) == (State.RUNNING, ())


def test_pid_1_catches_what_it_wants() -> None:
    _, events = applied(Fork("init", "a"), Catch("init", "SIGTERM"), Kill("a", "init", "SIGTERM"))
    assert lines(events)[-1] == "signal init sender=a signal=SIGTERM"


def test_from_outside_only_kill_and_stop_move_pid_1() -> None:
    assert after(Kill(None, "init", "SIGTERM"))["init"].state is State.RUNNING
    assert after(Kill(None, "init", "SIGSTOP"))["init"].state is State.STOPPED
    assert after(Kill(None, "init", "SIGKILL"))["init"].status == -9


def test_a_subreaper_has_none_of_pid_1s_privileges() -> None:
    table = after(
        Fork("keeper", "init"),
        BecomeSubreaper("init"),
        Fork("init", "a"),
        Kill("a", "init", "SIGTERM"),
        start=Table.starting_with("keeper", pid1=False),
    )
    assert (table["init"].status, table["a"].parent) == (-15, "keeper")


def test_a_group_is_signalled_whole() -> None:
    table = after(
        *family("a", "b"),
        SetGroup("a", "a", "a"),
        Fork("a", "c"),
        KillGroup("init", "a", "SIGTERM"),
    )
    assert [table[name].status for name in ("a", "b", "c")] == [-15, None, -15]


def test_a_parent_that_catches_sigchld_hears_of_death_stop_and_continuation() -> None:
    _, events = applied(
        Fork("init", "a"),
        Catch("init", "SIGCHLD"),
        Kill(None, "a", "SIGSTOP"),
        Kill(None, "a", "SIGCONT"),
        Exit("a", 0),
    )
    heard = [line for line in lines(events) if line == "signal init sender=a signal=SIGCHLD"]
    assert len(heard) == 3


def test_a_parent_that_ignores_sigchld_does_not_hear_of_stops_even_if_it_blocks_it() -> None:
    deaf = [Block("init", ALL), Ignore("init", "SIGCHLD"), Fork("init", "a")]
    assert after(*deaf, Kill(None, "a", "SIGSTOP"))["init"].pending == ()


# Stopping


def test_a_stopped_process_acts_on_signals_only_when_it_is_continued() -> None:
    stopped = [Fork("init", "a"), Kill(None, "a", "SIGSTOP"), Kill(None, "a", "SIGTERM")]
    assert after(*stopped)["a"].state is State.STOPPED
    assert after(*stopped, Kill(None, "a", "SIGCONT"))["a"].status == -15
    assert after(*stopped, Kill(None, "a", "SIGKILL"))["a"].status == -9


def test_sigcont_continues_also_when_it_is_blocked_or_ignored() -> None:
    for arrangement in (Block("a", ALL), Ignore("a", "SIGCONT")):
        table = after(
            Fork("init", "a"), arrangement, Kill(None, "a", "SIGSTOP"), Kill(None, "a", "SIGCONT")
        )
        assert table["a"].state is State.RUNNING


def test_a_stop_and_a_continuation_discard_each_other() -> None:
    blocked = [Fork("init", "a"), Block("a", ALL)]
    stop, cont = Kill(None, "a", "SIGTSTP"), Kill(None, "a", "SIGCONT")
    assert after(*blocked, stop, cont)["a"].pending_signals == {"SIGCONT"}
    assert after(*blocked, cont, stop)["a"].pending_signals == {"SIGTSTP"}


def test_the_child_of_a_containers_init_can_be_stopped_from_the_keyboard() -> None:
    table = after(Fork("init", "a"), SetGroup("a", "a", "a"), Kill("init", "a", "SIGTSTP"))
    assert table["a"].state is State.STOPPED


@pytest.mark.parametrize("signal", ["SIGTSTP", "SIGTTIN", "SIGTTOU"])
def test_an_orphaned_group_is_not_stopped_by_the_terminals_signals(signal: str) -> None:
    orphaned = after(Fork("init", "a"), StartSession("a"))
    assert orphaned.is_orphaned("a")
    assert after(Kill("init", "a", signal), start=orphaned)["a"].state is State.RUNNING
    assert after(Kill("init", "a", "SIGSTOP"), start=orphaned)["a"].state is State.STOPPED


def test_a_newly_orphaned_group_with_a_stopped_member_gets_hangup_and_continue() -> None:
    table = after(
        Fork("init", "shell"), StartSession("shell"), Fork("shell", "a"), SetGroup("a", "a", "a")
    )
    table = after(Fork("a", "b"), Catch("a", "SIGHUP"), Catch("a", "SIGCONT"), start=table)
    table = after(Kill("init", "b", "SIGSTOP"), start=table)
    table, events = applied(Exit("shell", 0), start=table)
    assert lines(events) == [
        "exit shell status=0",
        "reparented a new=init old=shell",
        "signal a signal=SIGHUP",
        "signal a signal=SIGCONT",
        "continued b",
        "signal b signal=SIGHUP",
        "killed b signal=SIGHUP",
    ]


def test_the_death_of_the_member_that_tied_its_group_orphans_the_group() -> None:
    # a's parent stands in the same session: it is gone with a, whose zombie does not count.
    table = after(
        Fork("init", "shell"),
        StartSession("shell"),
        Fork("shell", "a"),
        SetGroup("a", "a", "a"),
        Fork("a", "b"),
        Kill("init", "b", "SIGSTOP"),
        Exit("a", 0),
    )
    assert (table["a"].state, table["b"].status) == (State.ZOMBIE, -1)


def test_an_orphaned_group_without_stopped_members_is_left_alone() -> None:
    table = after(
        Fork("init", "shell"), StartSession("shell"), Fork("shell", "a"), SetGroup("a", "a", "a")
    )
    assert after(Exit("shell", 0), start=table)["a"].state is State.RUNNING


def test_every_signal_of_this_machine_has_a_default_action_and_a_number() -> None:
    for value in range(1, 32):
        assert signal_number(signal_name(value)) == value
        assert default_action(signal_name(value)) in DefaultAction
    for unknown in ("SIGFOO", "TERM", "SIGTERM+1", "SIGRTMIN+99", "SIGRTMIN-1"):
        with pytest.raises(ValueError, match="no signal is called"):
            default_action(unknown)
