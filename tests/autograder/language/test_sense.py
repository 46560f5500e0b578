"""Plays that can never make sense are refused, and no others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from autograder.language.roles import AS_COMMAND, INIT, Casting, Subject
from autograder.language.script import parse
from autograder.language.sense import check


def complaints(script: str, **how: object) -> list[tuple[int, str, str]]:
    casting = how.get("casting")
    subject = casting.subject.name if isinstance(casting, Casting) else INIT
    problems = check(parse(script.replace("; ", "\n"), subject), **how)
    return [(p.line, p.what.rpartition("': ")[2], p.mend) for p in problems]


@pytest.mark.parametrize(
    "play",
    [
        "main exits 0; expect init exits 0",
        "main forks child; child exits 0; send SIGKILL to child; expect child is a zombie",
        "main stops; send SIGCONT to init; main says I am back; expect output back",
        "main forks child; child stops; main exits 0; child says woken; expect init exits 0",
        "main forks child; main reaps child; child exits 0; main says done; expect output done",
        "main ignores SIGTERM; main catches SIGTERM; expect main gets SIGTERM",
        "main ignores SIGTERM; main blocks SIGTERM; expect main gets SIGTERM",
        "main ignores SIGTERM; expect main gets nothing; expect main gets SIGTERM 0 times",
        "main catches SIGCHLD; main forks child; expect child gets SIGCHLD",
        "freeze init; thaw init; freeze init; thaw init; expect init is idle",
        "freeze init; main exits 0; expect main is a zombie",
        "main exits 0; expect init exits 0; expect nobody is left; expect init exits 0",
        "main forks w1..w199; w1..w199 exit 0; expect w1..w199 are zombies",
        "send SIGKILL to init; expect init dies by SIGKILL",
        "main exits 0; expect init exits 1",  # wrong, but the judge can say so
        "init starts with SIGHUP ignored; init starts in /usr; expect main starts in /usr",
        "freeze init after the fork; main forks a; thaw init; expect a is alive",
        "main ignores SIGHUP; main catches every signal; expect main gets SIGHUP",
        "main catches every signal; expect main gets SIGURG",
    ],
)
def test_a_play_that_can_make_sense_is_not_refused(play):
    assert complaints(play) == []


@pytest.mark.parametrize(
    ("play", "line", "what", "mend"),
    [
        (
            "main forks child; chid exits 0; expect init is alive",
            2,
            "nobody has forked chid",
            "Did you mean 'child'?",
        ),
        (
            "main exits 0; init starts in /usr; expect init exits 0",
            2,
            "init has been started by then (line 1)",
            "How init starts is said before everything else.",
        ),
        (
            "init starts with SIGTERM pending; expect init is alive",
            1,
            "main may be killed before it can play, and no script could rely on it",
            'Let init start a command: command = ["sleep", "infinity"]',
        ),
        (
            "freeze init after the fork; freeze init; expect init is alive",
            2,
            "init is frozen already (line 1)",
            "",
        ),
        (
            "init starts with SIGKILL blocked; expect init is alive",
            1,
            "SIGKILL cannot be blocked (signal(7))",
            "",
        ),
        (
            "send SIGTERM to main 501 times; expect main dies by SIGTERM",
            1,
            "a signal is sent 1 to 500 times at once",
            "",
        ),
        (
            "expect worker is alive",
            1,
            "nobody has forked worker",
            "Write 'main forks worker' before.",
        ),
        (
            "w1..w3 fork g1..g3; expect init is idle",
            1,
            "nobody has forked w1",
            "Write 'main forks w1' before.",
        ),
        (
            "main forks a; main forks a; expect a is alive",
            2,
            "there is a a already",
            "Give the children different names.",
        ),
        (
            "main forks main; expect main is alive",
            1,
            "main is there from the start: init forks it",
            "",
        ),
        (
            "main forks init; expect init is alive",
            1,
            "init is the program that is judged",
            "Give the child another name.",
        ),
        (
            "init forks a; expect init is alive",
            1,
            "init is the program that is judged, it follows no script",
            "Let main or one of its descendants do it.",
        ),
        ("main exits 0; main says x; expect output x", 2, "main is dead since line 1", ""),
        (
            "main dies by SIGKILL; main exits 0; expect init is alive",
            2,
            "main is dead since line 1",
            "",
        ),
        (
            "send SIGKILL to main; main exits 0; expect init is alive",
            2,
            "main is dead since line 1",
            "",
        ),
        (
            "main stops; main says x; expect output x",
            2,
            "main is stopped since line 1, until it continues",
            "",
        ),
        (
            "main forks a; main reaps a; main exits 0; expect a is reaped",
            3,
            "main waits for a since line 2, which is not dead",
            "",
        ),
        (
            "main forks a; a forks b; b exits 0; main reaps b; expect b is reaped",
            4,
            "b is a child of a: only a parent can wait for it (wait(2))",
            "",
        ),
        (
            "main forks a; a exits 0; main reaps a; main reaps a; expect a is reaped",
            4,
            "a is reaped already (line 3)",
            "",
        ),
        ("expect w3..w1 are alive", 1, "the row w3..w1 runs backwards", "Did you mean 'w1..w3'?"),
        (
            "main forks w1..w3; w1..w3 fork g1..g2; expect init is alive",
            2,
            "w1..w3 are 3 and g1..g2 are 2: two rows go in pairs",
            "Give both the same length.",
        ),
        (
            "main forks w1..w999999999; expect init is alive",
            1,
            "w1..w999999999 are 999999999 actors; a play has 200 at most",
            "",
        ),
        (
            "main forks w1..w150; main forks g1..g150; expect init is alive",
            2,
            "a play has 200 actors at most",
            "",
        ),
        ("thaw init; expect init is idle", 1, "init is not frozen", "Write 'freeze init' before."),
        (
            "freeze init; freeze init; expect init is alive",
            2,
            "init is frozen already (line 1)",
            "",
        ),
        (
            "main ignores SIGTERM; expect main gets SIGTERM",
            2,
            "main ignores SIGTERM: the kernel drops it and nobody can tell",
            "Let main catch it: 'main catches SIGTERM'.",
        ),
        (
            "send SIGWINCH to init; expect main gets SIGWINCH",
            2,
            "SIGWINCH does nothing to a process that does not catch it, so nobody can tell",
            "Write 'main catches SIGWINCH' before.",
        ),
        (
            "main catches SIGKILL; expect init is alive",
            1,
            "SIGKILL cannot be caught (signal(7))",
            "",
        ),
        ("main dies by SIGCONT; expect init is alive", 1, "nobody dies by SIGCONT (signal(7))", ""),
        (
            "main exits 0; expect init exits 0; send SIGTERM to init",
            3,
            "init has ended (line 2): it gets no signal any more",
            "",
        ),
        ("expect init gets SIGTERM", 1, "only an actor can tell that, and init is none", ""),
        (
            "send SIGSTOP to init; init continues; expect init is alive",
            2,
            "init is no actor",
            "Did you mean 'send SIGCONT to init'?",
        ),
        (
            "main exits 0",
            0,
            "the script expects nothing, so that every init would pass",
            "End it with what should happen: 'expect init exits 0'.",
        ),
    ],
)
def test_nonsense_is_refused_with_its_line_and_the_mend(play, line, what, mend):
    assert complaints(play) == [(line, what, mend)]


def test_an_empty_script_is_refused():
    assert complaints("# nothing") == [
        (0, "the script is empty", "Write a step a line, such as 'main exits 0'.")
    ]


def test_nobody_acts_after_pid_1_but_children_outlive_a_subreaper():
    play = "main forks a; main exits 0; expect init exits 0; a exits 0"
    (refused,) = complaints(play)
    assert refused[:2] == (
        4,
        "init has ended (line 3), and everybody in its PID namespace with it",
    )
    assert complaints(play, modes=["subreaper"]) == []


def test_there_are_no_actors_where_another_command_stands_for_main():
    (refused,) = complaints("main exits 0; expect init exits 0", casting=Casting(main=False))
    assert refused[:2] == (1, "there are no actors, for init starts `command` instead of main")
    assert complaints("expect output hello; expect init exits 0", casting=Casting(main=False)) == []


def test_an_unknown_actor_is_named_once():
    assert [line for line, *_ in complaints("chid exits 0; expect chid is reaped")] == [1]


def test_main_is_thawed_only_if_it_was_frozen():
    assert complaints("thaw main; expect init exits 0", casting=Casting(main=False)) == [
        (1, "main is not frozen", "Begin with 'freeze main after the fork'.")
    ]
    play = "freeze main after the fork; send SIGTERM to init; thaw main; expect init exits 143"
    assert complaints(play, casting=Casting(main=False)) == []


ALONE = Casting(Subject("tree", AS_COMMAND), main=False)


def test_exits_are_held_where_nobody_plays_but_the_subject_and_whom_it_makes():
    play = "hold every exit; expect tree forks a; let a exit; let tree exit; expect tree exits 1"
    assert complaints(play, casting=ALONE) == []
    with_main = replace(ALONE, main=True)
    what = "actors exit when the script says so, and there is no other exit to be held"
    mend = "Hold exits where the subject makes processes of its own."
    for casting in (with_main, replace(ALONE, commands=("sleepy",))):
        assert (1, what, mend) in complaints(play, casting=casting)
    held = "hold every exit; main exits 0; expect init exits 0"
    assert complaints(held) == [(1, what, mend)]


def test_nobody_is_let_go_who_is_not_held():
    assert complaints("let tree exit; expect tree exits 1", casting=ALONE) == [
        (1, "nobody is held", "Begin with 'hold every exit'.")
    ]


@pytest.mark.parametrize(
    "play",
    ["init starts as a background job; expect init is alive", "expect the terminal is as before"],
)
def test_a_play_about_the_terminal_needs_one(play):
    assert complaints(play, terminal=True) == []
    assert complaints(play, terminal=False) == [
        (1, "there is no terminal", "Add a line: terminal = true")
    ]
