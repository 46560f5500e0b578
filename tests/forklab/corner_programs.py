"""Programs for corners of the rules that random ones seldom reach; real kernel and model must agree about each."""

from __future__ import annotations

from random_actions import SIGNALS

from forklab.model import (
    Accept,
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
    SetGroup,
    StartSession,
    Unblock,
    Wait,
)

TWO = [Fork("init", "a"), Fork("a", "b")]
SHELL = [Fork("init", "shell"), StartSession("shell"), Fork("shell", "a"), SetGroup("a", "a", "a")]
ALL = frozenset(SIGNALS) - {"SIGKILL", "SIGSTOP"}

PROGRAMS: dict[str, list[Action]] = {
    "only the children of the dead move": [*TWO, Fork("b", "c"), Exit("a", 1), Exit("c", 2)],
    "zombies move too": [*TWO, Exit("b", 7), Exit("a", 0), Wait("init", "b")],
    "a wait takes the first child in the list": [
        *[*TWO, Fork("init", "c"), Exit("b", 0), Exit("c", 0), Exit("a", 0)],
        *[Wait("init"), Wait("init"), Wait("init")],
    ],
    "an adopted zombie is told to the new parent": [*TWO, Wait("init"), Exit("b", 4), Exit("a", 3)],
    "an adopted zombie ends a wait": [*TWO, Exit("b", 4), Exit("a", 3), Wait("init"), Wait("init")],
    "an adopted zombie vanishes for who ignores SIGCHLD": [
        *[Ignore("init", "SIGCHLD"), *TWO, Default("a", "SIGCHLD"), Exit("b", 0), Exit("a", 0)],
    ],
    "an adopted zombie is a pending SIGCHLD": [
        *[*TWO, Exit("b", 0), Block("init", ALL), Exit("a", 0), Accept("init", "SIGCHLD")],
    ],
    "who ignores SIGCHLD waits for all and gets none": [
        *[Ignore("init", "SIGCHLD"), Fork("init", "a"), Fork("init", "b"), Wait("init")],
        *[Exit("a", 0), Exit("b", 0)],
    ],
    "older zombies stay when SIGCHLD is ignored": [
        *[Fork("init", "a"), Exit("a", 0), Ignore("init", "SIGCHLD"), Wait("init")],
    ],
    "who ignores SIGCHLD does not hear of stops": [
        *[Fork("init", "a"), Block("init", ALL), Ignore("init", "SIGCHLD")],
        *[Kill("init", "a", "SIGSTOP"), Kill("init", "a", "SIGCONT")],
    ],
    "the nearest subreaper adopts": [
        *[*TWO, Fork("b", "c"), Fork("c", "d"), BecomeSubreaper("a"), BecomeSubreaper("b")],
        *[Exit("c", 0), Exit("b", 0), Exit("a", 0)],
    ],
    "a stopped parent does not come out of its wait": [
        *[
            *TWO,
            Wait("a"),
            Kill("init", "a", "SIGSTOP"),
            Exit("b", 0),
            Kill("init", "a", "SIGCONT"),
        ],
    ],
    "the lowest number comes first": [
        *[Fork("init", "a"), Block("a", ALL), Kill("a", "a", "SIGTERM"), Kill("a", "a", "SIGHUP")],
        *[Unblock("a", ALL)],
    ],
    "no handler runs when another signal kills": [
        *[Fork("init", "a"), Catch("a", "SIGHUP"), Block("a", ALL), Kill("a", "a", "SIGHUP")],
        *[Kill("a", "a", "SIGTERM"), Unblock("a", ALL)],
    ],
    "a continuation discards stops": [
        *[Fork("init", "a"), Block("a", ALL), Kill("a", "a", "SIGTSTP"), Kill("a", "a", "SIGCONT")],
        *[Kill("a", "a", "SIGTTIN"), Kill("init", "a", "SIGSTOP"), Kill("init", "a", "SIGCONT")],
    ],
    "the stopped act when they are continued": [
        *[Fork("init", "a"), Kill("a", "a", "SIGSTOP"), Kill("init", "a", "SIGTERM")],
        *[Kill("init", "a", "SIGSTOP"), Kill("init", "a", "SIGCONT")],
    ],
    "a container's child in a group of its own stops": [
        *[Fork("init", "a"), SetGroup("a", "a", "a"), Kill("init", "a", "SIGTSTP")],
    ],
    "a newly orphaned group is hung up": [
        *[*SHELL, Fork("a", "b"), Catch("a", "SIGHUP"), Kill("init", "b", "SIGSTOP")],
        *[Exit("shell", 0)],
    ],
    "a group is orphaned by the death of a member": [
        *[*SHELL, Fork("a", "b"), Kill("init", "b", "SIGSTOP"), Exit("a", 0)],
    ],
    "an orphaned group is not stopped by the terminal": [
        *[*SHELL, Exit("shell", 0), Kill("init", "a", "SIGTSTP"), Kill("init", "a", "SIGSTOP")],
    ],
    "PID 1 feels only what it catches": [
        *[Fork("init", "a"), Kill("a", "init", "SIGTERM"), Kill("a", "init", "SIGKILL")],
        *[Kill("a", "init", "SIGSTOP"), Catch("init", "SIGTERM"), Kill("a", "init", "SIGTERM")],
    ],
    "PID 1 blocks, then does not want it": [
        *[
            Fork("init", "a"),
            Block("init", ALL),
            Kill("a", "init", "SIGTERM"),
            Unblock("init", ALL),
        ],
    ],
    "PID 1 is stopped from outside": [
        *[
            Fork("init", "a"),
            Kill(None, "init", "SIGSTOP"),
            Exit("a", 0),
            Kill(None, "init", "SIGCONT"),
        ],
        *[Kill(None, "init", "SIGTERM"), Wait("init")],
    ],
    "exec keeps what is ignored, blocked and pending": [
        *[Fork("init", "a"), Ignore("a", "SIGHUP"), Catch("a", "SIGUSR1"), Block("a", ALL)],
        *[Kill("a", "a", "SIGUSR1"), Kill("init", "a", "SIGCHLD"), Exec("a", ("actor",))],
        *[SetGroup("init", "a", "a")],
    ],
    "nobody moves a child of another session": [
        *[*TWO, StartSession("a"), Fork("a", "c"), Exit("a", 0), SetGroup("init", "c", "c")],
    ],
    "what is ignored from now on is not pending any more": [
        *[Fork("init", "a"), Block("a", ALL), Kill("a", "a", "SIGTERM"), Kill("a", "a", "SIGCHLD")],
        *[Ignore("a", "SIGTERM"), Default("a", "SIGCHLD"), Kill("a", "a", "SIGTERM")],
    ],
    "a child inherits what happens to signals but not what is pending": [
        *[Ignore("init", "SIGHUP"), Catch("init", "SIGUSR1"), Block("init", ALL)],
        *[Kill("init", "init", "SIGUSR1"), Fork("init", "a"), Exit("a", 256 + 42), Wait("init")],
    ],
    "kill and stop get through": [
        *[*TWO, Block("a", frozenset(SIGNALS)), Block("b", frozenset(SIGNALS))],
        *[Kill("init", "a", "SIGSTOP"), Kill("init", "b", "SIGKILL"), Kill("init", "a", "SIGKILL")],
    ],
    "a blocked SIGCHLD tells of stop and continuation": [
        *[Fork("init", "a"), Block("init", ALL), Kill("init", "a", "SIGSTOP")],
        *[Accept("init", "SIGCHLD"), Kill("init", "a", "SIGCONT"), Accept("init", "SIGCHLD")],
    ],
    "what is refused": [
        *[*TWO, SetGroup("b", "a", "a"), SetGroup("a", "a", "b"), SetGroup("init", "init", "init")],
        *[StartSession("init"), KillGroup("a", "b", "SIGTERM"), Wait("b"), Wait("a", "init")],
        *[Fork("init", "c"), Exit("c", 0), Wait("init"), Kill("a", "c", "SIGTERM")],
        *[Ignore("a", "SIGKILL"), Accept("a", "SIGTERM"), Wait("a", block=False)],
    ],
}
