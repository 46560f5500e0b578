"""What to think about: for the mistakes that inits are known for, a sentence each."""

from __future__ import annotations

from autograder.stage.activity import Activity, Posture

PASS_ON = "What init gets from outside, it passes on to main's whole process group."
PASS_ON_TO_NOBODY_ELSE = (
    "Init passes on what it was sent, to main's process group and to nobody else."
)
SLEEP = "Let the kernel wake it: block until a child dies or a signal comes, without a timeout."
CLEAN_UP = (
    "Between fork and exec the child must undo what init set up for itself: mask, dispositions, "
    "descriptors, and take the terminal."
)
HAND_ON = "What init does not need to change, its command finds as init found it."
LEAVE_AT_ONCE = (
    "A child that could not exec is a copy of init, with its exit handlers and what waits to be written: it leaves by "
    "_exit()."
)
GIVE_THE_TERMINAL_BACK = (
    "A terminal is lent: who has it in the foreground lends it to main and takes it back when main has ended; who was "
    "started in the background leaves it alone."
)

_WAITS_FOR_SIGNALS = frozenset(
    {"pause", "sigsuspend", "sigwaitinfo", "poll", "ppoll", "select", "pselect"}
    | {"epoll_wait", "epoll_pwait", "epoll_pwait2", "read"}
)


def on_zombies(init: Activity) -> str:
    """To an init that leaves one, by what it is doing meanwhile."""
    if init.waits_for is not None and init.waits_for > 0:
        return "Orphans are PID 1's children too: wait for any child."
    if init.posture is Posture.TIMED:
        return "Nothing wakes it when a child dies: it only looks when its time is over."
    if init.call in _WAITS_FOR_SIGNALS:
        return (
            "One SIGCHLD can stand for many deaths: when it comes, call waitpid(-1, ..., WNOHANG) until it "
            "finds nobody."
        )
    return "Every zombie of init's waits to be collected, whoever it was the child of before."


def on_exit_status(wanted: int, *, init_ended: bool, main_ended: bool) -> str:
    """To an init that should have exited with `wanted`."""
    if not init_ended:
        return "Main is dead: now init ends too, whoever else still lives." if main_ended else ""
    if wanted > 128:
        return "A command that a signal n killed is reported as 128 + n: ask WIFSIGNALED before WEXITSTATUS."
    if wanted in (126, 127):
        return (
            "127 says that the command was not found, 126 that it was found but cannot be executed."
        )
    return "Init reports main's status, and that of nobody else."
