"""Names, numbers and masks of signals."""

from __future__ import annotations

import signal

from forklab.kernel.signals import (
    HARMLESS_MASK,
    STOPPING_MASK,
    DefaultAction,
    bit,
    default_action,
    mask_of,
    numbers_in,
    signal_name,
    signal_number,
    with_default,
)


def test_every_number_has_a_name_and_every_named_one_has_its_number_back() -> None:
    for number in range(1, 65):
        name = signal_name(number)
        if number in (32, 33):  # libc's own
            assert name == f"SIG{number}"
        else:
            assert signal_number(name) == number


def test_real_time_signals_count_from_both_ends() -> None:
    assert signal_name(signal.SIGRTMIN + 3) == "SIGRTMIN+3"
    assert signal_number("SIGRTMAX-1") == signal.SIGRTMAX - 1


def test_the_harmless_ones_are_those_that_neither_end_nor_stop_anybody() -> None:
    for number in range(1, 32):
        harmless = default_action(signal_name(number)) in (
            DefaultAction.IGNORE,
            DefaultAction.CONTINUE,
        )
        assert bool(HARMLESS_MASK & bit(number)) == harmless, signal_name(number)


def test_a_mask_is_read_back() -> None:
    assert numbers_in(mask_of(["SIGINT", "SIGHUP"])) == [1, 2]
    assert [signal_name(number) for number in numbers_in(STOPPING_MASK)] == [
        "SIGSTOP",
        "SIGTSTP",
        "SIGTTIN",
        "SIGTTOU",
    ]
    assert "SIGCHLD" in with_default(DefaultAction.IGNORE)
