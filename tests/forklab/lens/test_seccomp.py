"""The filter, run by a small machine like the kernel's: which calls stop a program, which pass, which are refused."""

from __future__ import annotations

import errno
import struct

import pytest

from forklab.kernel.calls import CALLS
from forklab.kernel.processors import this_processor
from forklab.lens.edge.seccomp import CLONE_UNTRACED, Stops, filter_for

ALLOW, TRACE, REFUSE = 0x7FFF0000, 0x7FF00000, 0x00050000 | errno.EPERM
OURS, FOREIGN = this_processor().audit, 0x40000003
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS = 1, 2, 0x20


def verdict(
    program: bytes,
    number: int,
    arch: int = OURS,
    first: int = 0,
    second: int = 0,
    fourth: int = 0,
    most: int = 4096,
) -> int:
    """Of a call; see seccomp(2), struct seccomp_data, and linux/filter.h for the instructions."""
    data = struct.pack("<IIQ6Q", number, arch, 0, first, second, 0, fourth, 0, 0)
    lines = list(struct.iter_unpack("<HBBI", program))
    accumulator = place = 0
    for _ in range(most):
        code, yes, no, value = lines[place]
        place += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", data, value)
            case 0x05:
                place += value
            case 0x15:
                place += yes if accumulator == value else no
            case 0x35:
                place += yes if accumulator >= value else no
            case 0x45:
                place += yes if accumulator & value else no
            case 0x06:
                return int(value)
            case _:
                raise AssertionError(f"{code:#x}")
    raise AssertionError(f"more than {most} instructions")


def test_the_named_calls_stop_and_no_others() -> None:
    names = frozenset({"wait4", "read", "exit_group"})
    program = filter_for(Stops(names))
    for name, number in this_processor().calls.items():
        assert verdict(program, number) == (TRACE if name in names else ALLOW), name
    assert verdict(program, 99_999) == ALLOW


def test_no_call_takes_long_to_be_found_however_many_stop() -> None:
    calls = this_processor().calls
    names = frozenset(sorted(calls)[::2]) - {"rt_sigaction"}
    program = filter_for(Stops(names))
    for name, number in calls.items():
        assert verdict(program, number, most=40) == (TRACE if name in names else ALLOW), name


def test_who_makes_a_child_that_nobody_shall_trace_is_stopped() -> None:
    program, number = filter_for(Stops(frozenset({"wait4"}))), this_processor().calls["clone"]
    assert verdict(program, number, first=CLONE_UNTRACED | 17) == TRACE
    assert verdict(program, number, first=17) == ALLOW
    assert verdict(program, this_processor().calls["wait4"]) == TRACE


def test_all_stop_but_the_named_ones_also_those_that_nobody_knows() -> None:
    names = frozenset({"getpid", "brk"})
    program = filter_for(Stops(names, all_but=True))
    for name, number in this_processor().calls.items():
        if name not in ("mmap", "rt_sigaction"):
            assert verdict(program, number) == (ALLOW if name in names else TRACE), name
    assert verdict(program, 99_999) == TRACE
    assert verdict(program, this_processor().calls["getpid"], FOREIGN) == TRACE


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (MAP_PRIVATE | MAP_ANONYMOUS, ALLOW),
        (MAP_PRIVATE, TRACE),
        (MAP_SHARED | MAP_ANONYMOUS, TRACE),
        (MAP_SHARED, TRACE),
    ],
)
def test_memory_of_its_own_is_nobody_elses_concern(flags: int, expected: int) -> None:
    program = filter_for(Stops(frozenset({"getpid"}), all_but=True))
    assert verdict(program, this_processor().calls["mmap"], fourth=flags) == expected


@pytest.mark.parametrize(
    ("signal", "action", "expected"),
    [(17, 1, TRACE), (15, 1, ALLOW), (64, 1, ALLOW), (17, 0, ALLOW), (2, 1, TRACE)],
)
def test_handlers_of_some_signals_can_be_all_that_matters(
    signal: int, action: int, expected: int
) -> None:
    names = frozenset({"rt_sigaction", "wait4"})
    program = filter_for(Stops(names, handlers_of=frozenset({17, 2})))
    number = this_processor().calls["rt_sigaction"]
    assert verdict(program, number, first=signal, second=action) == expected
    assert verdict(program, this_processor().calls["wait4"], first=signal) == TRACE
    assert verdict(program, this_processor().calls["getpid"], first=signal) == ALLOW


@pytest.mark.parametrize(("action", "expected"), [(0, ALLOW), (1, TRACE), (1 << 32, TRACE)])
def test_who_only_asks_for_a_handler_is_not_stopped(action: int, expected: int) -> None:
    number = this_processor().calls["rt_sigaction"]
    names = frozenset({"rt_sigaction", "wait4"})
    assert verdict(filter_for(Stops(names)), number, second=action) == expected
    assert verdict(filter_for(Stops(names)), this_processor().calls["wait4"]) == TRACE
    assert verdict(filter_for(Stops(frozenset(), all_but=True)), number, second=action) == expected
    assert verdict(filter_for(Stops(frozenset(), all_but=True)), number + 1, second=action) == TRACE


@pytest.mark.parametrize("stops", [Stops(frozenset({"read"})), Stops(frozenset(), all_but=True)])
def test_no_32_bit_program_sets_the_clock(stops: Stops) -> None:
    program = filter_for(stops)
    for number in this_processor().set_clock_of_32_bits:
        assert verdict(program, number, FOREIGN) == REFUSE
    assert verdict(program, 1, FOREIGN) == (TRACE if stops.all_but else ALLOW)


def test_all_calls_fit_into_the_jumps_of_a_filter() -> None:
    """A jump goes over 255 lines at most."""
    filter_for(Stops(frozenset(list(CALLS)[:250])))
