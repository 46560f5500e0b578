"""What a perfect init makes of a script: the expected history, and which expectations nobody could meet."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from autograder.ideal.ideal import Ideal
from autograder.language.script import parse
from autograder.language.steps import Step
from forklab.history import History, Remark, State

MODES = ["pidns", "subreaper"]


def ideal(*script: str, mode: str = "pidns", command: Sequence[str] | None = None) -> Ideal:
    return Ideal(steps(*script), mode=mode, command=command)


def steps(*script: str) -> Sequence[Step]:
    return parse("\n".join(script) + "\n")


def told(history: History, since: int = 1) -> list[str]:
    """The events from script line `since` on, as short lines with their line numbers."""
    form = [event.to_json() for event in history.events if event.t >= since]
    return [
        " ".join(
            [f"{event['t']:g}:", event["kind"], event["process"]]
            + [
                f"{key}={event[key]}"
                for key in sorted(event.keys() - {"n", "t", "kind", "process"})
            ]
        )
        for event in form
    ]


def objections(
    *script: str, mode: str = "pidns", command: Sequence[str] | None = None
) -> list[str]:
    return [str(c) for c in ideal(*script, mode=mode, command=command).contradictions]


@pytest.mark.parametrize(("mode", "pid"), [("pidns", 1), ("subreaper", 999)])
def test_init_has_started_main_before_the_script_begins(mode: str, pid: int) -> None:
    start = ideal("main forks a", mode=mode).expected_until(0)
    assert [event.kind for event in start.events] == ["start", "fork"]
    assert [(p.name, p.pid, p.parent, p.reaper) for p in start.processes] == [
        ("init", pid, None, True),
        ("main", 1000, "init", False),
    ]


def test_an_orphans_zombie_is_reaped_at_once() -> None:
    play = ideal("main forks worker", "worker forks child", "child exits 3", "worker exits 0")
    assert told(play.expected_until(3)) == [
        "1: fork main child=worker",
        "2: fork worker child=child",
        "3: exit child status=3",
    ]
    assert told(play.expected_until(4), since=4) == [
        "4: exit worker status=0",
        "4: reparented child new=init old=worker",
        "4: reaped child by=init status=3",
    ]
    assert [p.pid for p in play.expected_until(4).processes] == [1, 1000, 1001, 1002]


def test_lines_without_a_step_show_what_was_before() -> None:
    play = ideal("main forks a", "# a comment", "", "a exits 0")
    assert play.expected_until(3) == play.expected_until(1)
    assert play.expected_until(99) == play.expected_until(4)


@pytest.mark.parametrize(
    ("end", "status"),
    [("main exits 42", 42), ("main dies by SIGKILL", 137), ("main exits 255", 255)],
)
def test_init_exits_with_mains_status(end: str, status: int) -> None:
    play = ideal(end, f"expect init exits {status}")
    assert play.expected_until(1).tree()["init"].status == status
    assert not play.contradictions


def test_in_a_namespace_all_are_killed_when_init_is_gone() -> None:
    play = ideal("main forks a", "main exits 4", "expect nobody is left")
    assert told(play.expected_until(3), since=2) == [
        "2: exit main status=4",
        "2: reparented a new=init old=main",
        "2: reaped main by=init status=4",
        "2: exit init status=4",
        "2: killed a signal=SIGKILL",
        "2: reaped a by=init status=-9",
        "2: reaped init by=outside status=4",
    ]
    assert not play.contradictions


def test_a_subreaper_leaves_its_children_to_the_outside() -> None:
    play = ideal("main forks a", "main exits 4", "expect a is alive", "a exits 0", mode="subreaper")
    assert told(play.expected_until(3), since=2)[3:] == [
        "2: exit init status=4",
        "2: reparented a new=outside old=init",
        "2: reaped init by=outside status=4",
    ]
    assert play.expected_until(4).tree()["a"].reaped_by == "outside"
    assert not play.contradictions


def test_signals_are_passed_on_to_mains_group_only() -> None:
    play = ideal(
        "main forks same",
        "main forks other",
        "other starts a group",
        "main catches SIGTERM",
        "send SIGTERM to init",
    )
    assert told(play.expected_until(5), since=5) == [
        "5: signal main sender=init signal=SIGTERM",
        "5: signal same sender=init signal=SIGTERM",
        "5: killed same signal=SIGTERM",
    ]


def test_a_signal_from_outside_has_no_sender_and_ones_own_is_not_told() -> None:
    play = ideal("main catches SIGUSR1", "send SIGUSR1 to main", "main stops")
    assert told(play.expected_until(3)) == [
        "2: signal main signal=SIGUSR1",
        "3: stopped main signal=SIGSTOP",
    ]


def test_sigchld_is_not_passed_on() -> None:
    script = [
        "main catches SIGCHLD",
        "main forks a",
        "send SIGCHLD to init",
        "expect main gets nothing",
    ]
    assert not objections(*script)


def test_a_stopped_main_is_not_a_dead_one() -> None:
    script = [
        "main stops",
        "expect main is stopped",
        "expect init is alive",
        "send SIGCONT to init",
    ]
    play = ideal(*script, "main exits 1", "expect init exits 1")
    assert not play.contradictions
    assert "4: continued main" in told(play.expected_until(4))


def test_a_frozen_init_catches_up_when_it_is_thawed() -> None:
    play = ideal(
        "main catches SIGTERM",
        "main forks a1..a2",
        "a1..a2 fork b1..b2",
        "a1..a2 exit 0",
        "main reaps a1..a2",
        "freeze init",
        "b1..b2 exit 0",
        "send SIGTERM to init",
        "send SIGTERM to init",
        "expect b1..b2 are zombies",
        "thaw init",
        "expect b1..b2 are reaped",
        "expect main gets SIGTERM 1 time",
    )
    assert not play.contradictions
    assert told(play.expected_until(11), since=8) == [
        "11: reaped b1 by=init status=0",
        "11: reaped b2 by=init status=0",
        "11: signal main sender=init signal=SIGTERM",
    ]


def test_what_is_said_is_output() -> None:
    play = ideal("main says hello", "expect output hello", "expect output goodbye")
    assert told(play.expected_until(1)) == ["1: output main text=hello\n"]
    assert [c.line for c in play.contradictions] == [3]


def test_remarks_tell_who_waits_for_whom() -> None:
    play = ideal(
        "main forks a", "main reaps a", "freeze init", "thaw init", "a exits 0", "main exits 0"
    )
    any_child = Remark(State.WAITING, "waiting for any child")
    assert play.remarks(1) == {"init": any_child}
    assert play.remarks(2) == {"init": any_child, "main": Remark(State.WAITING, "waiting for a")}
    assert play.remarks(3)["init"] == Remark(words="frozen: it cannot run now")
    assert play.remarks(5) == {"init": any_child}
    assert play.remarks(6) == {}
    assert ideal("freeze init", "send SIGKILL to init").remarks(2) == {}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (
            ["main exits 0", "main forks a"],
            "line 2: This cannot be done: main cannot fork: it exited with 0.",
        ),
        (["main stops", "main says hello"], "cannot say anything: it is stopped"),
        (["main forks a", "main reaps a", "main exits 0"], "it is blocked, waiting for a"),
        (
            ["main starts a session"],
            "main cannot start a session: it leads a process group (EPERM)",
        ),
        (
            ["main forks a", "expect a is a zombie"],
            "line 2: Not even with a perfect init: a is alive.",
        ),
        (
            ["main forks a", "a exits 2", "expect a is reaped"],
            "a has exited with 2 and is a zombie",
        ),
        (["main forks a", "expect a is a child of init"], "a is a child of main"),
        (
            ["main forks a", "a exits 0", "main reaps a", "expect a is a child of main"],
            "is reaped by main",
        ),
        (["main exits 1", "expect init is alive"], "init has exited with 1"),
        (["main exits 1", "expect init exits 2"], "init has exited with 1"),
        (["expect init exits 0"], "init is alive"),
        (["main dies by SIGTERM", "expect main dies by SIGKILL"], "has been killed by SIGTERM"),
        (
            ["main stops", "expect main is alive", "main continues", "expect main is stopped"],
            "main is alive",
        ),
        (["freeze init", "expect init is idle"], "init is frozen"),
        (["init exits 0"], "line 1: This cannot be done: init is the submission"),
        (["main forks a", "expect nobody is left"], "main is alive; a is alive"),
        (["main ignores SIGTERM", "main forks a", "expect a starts clean"], "a inherits"),
        (["main catches SIGTERM", "expect main gets SIGTERM"], "main gets no SIGTERM"),
        (
            ["main catches SIGTERM", "send SIGTERM to main", "expect main gets SIGTERM 2 times"],
            "main gets SIGTERM 1 times",
        ),
        (
            ["main catches SIGTERM", "send SIGTERM to init", "expect main gets nothing"],
            "gets SIGTERM",
        ),
    ],
)
def test_what_no_init_can_meet_is_explained_to_the_author(
    script: list[str], words: str, mode: str
) -> None:
    found = objections(*script, mode=mode)
    assert words in found[0]
    assert len(found) == 1


def test_holds_answers_for_every_step() -> None:
    script = steps("main forks a", "expect a is alive", "expect a is a zombie")
    play = Ideal(script, mode="pidns")
    assert [play.holds(step) for step in script] == [True, True, False]


def test_expectations_in_a_row_see_the_same_signals_and_later_ones_start_afresh() -> None:
    catches = ["main catches SIGTERM", "main catches SIGHUP"]
    both = ["send SIGTERM to init", "send SIGHUP to init", "send SIGTERM to main"]
    asked = ["expect main gets SIGTERM 2 times", "expect main gets SIGHUP 1 time"]
    assert not objections(*catches, *both, *asked)
    assert not objections(*catches, *both, *asked, "main says next", "expect main gets nothing")
    assert objections(*catches, *both, *asked, "expect main gets nothing")


def test_what_is_counted_again_is_only_what_came_since() -> None:
    twice = ["send SIGTERM to main", "send SIGTERM to main", "expect main gets SIGTERM 2 times"]
    assert not objections("main catches SIGTERM", *twice, *twice)
    killed = ["main forks a", "send SIGTERM to a", "expect a gets SIGTERM"]
    assert not objections(*killed, "main says next", "expect a gets nothing")
    stopped = ["main forks a", "send SIGSTOP to a", "expect a gets SIGSTOP"]
    assert not objections(*stopped, "main says next", "expect a gets nothing")


def test_a_perfect_init_starts_main_clean() -> None:
    assert not objections("expect main starts clean")


def test_a_blocked_signal_counts_as_got_once_when_it_becomes_pending() -> None:
    script = ["main blocks SIGTERM", "send SIGTERM to init", "send SIGTERM to init"]
    once = [*script, "expect main gets SIGTERM 1 time"]
    assert not objections(*once)
    assert (
        "one bit holds one"
        in objections(*once, "send SIGTERM to init", "expect main gets SIGTERM")[0]
    )


def test_a_stopped_actor_gets_sigcont_when_it_goes_on() -> None:
    script = [
        "main stops",
        "expect main gets SIGSTOP",
        "send SIGCONT to init",
        "expect main gets SIGCONT",
    ]
    assert not objections(*script)
    assert not objections("main stops", "send SIGCONT to init", "expect main gets SIGCONT 1 time")
    blocks = ["main blocks SIGCONT", "main stops", "main continues"]
    assert not objections(*blocks, "expect main gets SIGCONT 1 time")


def test_what_follows_from_a_command_the_model_cannot_know() -> None:
    script = steps(
        "send SIGTERM to init",
        "expect init is idle",
        "expect init exits 127",
        "expect init is alive",
    )
    play = Ideal(script, mode="pidns", command=["no-such-command"])
    assert [play.holds(step) for step in script] == [True, None, None, False]
    assert play.opaque == {"main"}
    assert told(play.expected_until(0), since=0)[2:] == ["0: exec main argv=['no-such-command']"]
    assert told(play.expected_until(3)) == [
        "3: exit main status=127",
        "3: reaped main by=init status=127",
        "3: exit init status=127",
        "3: reaped init by=outside status=127",
    ]


def test_without_a_command_it_is_init_itself_that_ends() -> None:
    play = ideal("expect init exits 2", "expect nobody is left", command=[])
    assert not play.contradictions
    assert told(play.expected_until(1), since=0) == [
        "0: start init",
        "1: exit init status=2",
        "1: reaped init by=outside status=2",
    ]


def test_what_main_starts_with_is_what_the_script_begins_with() -> None:
    script = ["init starts in /usr", "init starts with umask 027"]
    right = ["expect main starts in /usr", "expect main starts with umask 027"]
    assert not objections(*script, *right)
    assert objections(*script, "expect main starts with umask 022") == [
        "script line 3: Not even with a perfect init: "
        "the script does not begin with 'init starts with umask 022'."
    ]


def test_main_has_the_terminal_while_it_lives() -> None:
    script = ["init starts as a foreground job", "expect the terminal is as before"]
    assert "main has the terminal, as long as it lives" in objections(*script)[0]
    assert not objections(script[0], "main exits 0", "expect init exits 0", script[1])
    assert not objections("init starts as a background job", script[1])


def test_an_init_that_is_frozen_after_its_fork_catches_up() -> None:
    script = ["freeze init after the fork", "main exits 3", "expect main is a zombie"]
    assert not objections(*script, "thaw init", "expect init exits 3")


def test_init_killed_from_outside_takes_its_namespace_along() -> None:
    script = ["main forks a", "send SIGKILL to init", "expect init dies by SIGKILL"]
    inside = ideal(*script, "expect nobody is left")
    outside = ideal(
        *script, "expect main is alive", "expect a is a child of main", mode="subreaper"
    )
    assert not inside.contradictions
    assert not outside.contradictions
    assert outside.expected_until(2).tree()["main"].parent == "outside"
