"""The table of system calls: complete, right, and never silent about what nobody has classified."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from forklab.kernel.calls import CALLS, PATIENT, Concern, calls_in, concerns_of, int32, spoken_name
from forklab.kernel.processors import AARCH64, X86_64, this_processor

GENERIC = Path("/usr/include/asm-generic/unistd.h")
# Of <asm-generic/unistd.h>: names of 32-bit kernels, and calls that the processor at hand does not have.
NOT_ON_AARCH64 = frozenset(
    {"arch_specific_syscall", "syscalls", "memfd_secret", "sync_file_range2"}
)


def numbers_by_the_compiler() -> dict[str, int]:
    """Those that <sys/syscall.h> of this machine has: the headers of an older kernel know fewer."""
    preprocessed = subprocess.run(
        ["cc", "-E", "-dM", "-x", "c", "-"],
        input="#include <asm/unistd.h>\n",
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.findall(r"^#define __NR_(\w+) (\d+)$", preprocessed.stdout, re.MULTILINE)
    return {name: int(number) for name, number in found}


def test_the_numbers_are_those_of_this_machines_headers() -> None:
    theirs = numbers_by_the_compiler()
    assert len(theirs) > 250
    ours = this_processor().calls
    # "Not implemented": the C library has numbers for them, the kernel has never had the calls.
    never = {"_sysctl", "afs_syscall", "create_module", "get_kernel_syms", "getpmsg", "nfsservctl"}
    never |= {
        "putpmsg",
        "query_module",
        "security",
        "tuxcall",
        "uselib",
        "vserver",
        "epoll_ctl_old",
    }
    assert {n: v for n, v in theirs.items() if ours.get(n) != v and n not in never} == {}


@pytest.mark.skipif(not GENERIC.exists(), reason="no headers of the kernel here")
def test_the_numbers_of_aarch64_are_the_generic_ones() -> None:
    found = re.findall(r"^#define __NR(?:3264)?_(\w+) (\d+)$", GENERIC.read_text(), re.MULTILINE)
    theirs = {name: int(number) for name, number in found}
    assert len(theirs) > 250
    known = {name: number for name, number in theirs.items() if name in AARCH64.calls}
    assert {name: AARCH64.calls[name] for name in known} == known
    of_32_bits = {n for n in theirs if n.endswith(("64", "_time64")) or n in NOT_ON_AARCH64}
    assert set(theirs) - set(known) - of_32_bits <= {"fstatat", "nfsservctl"}


def test_no_number_stands_for_two_calls() -> None:
    for processor in (X86_64, AARCH64):
        assert len(set(processor.calls.values())) == len(processor.calls)


def test_every_call_is_classified_and_a_private_one_is_nothing_else() -> None:
    for call in CALLS.values():
        assert call.concerns, call.name
        assert Concern.UNKNOWN not in call.concerns, call.name
        assert Concern.PRIVATE not in call.concerns or call.concerns == {Concern.PRIVATE}, call.name


def test_a_call_that_nobody_has_classified_is_unknown_and_not_private() -> None:
    assert concerns_of("made_up") == {Concern.UNKNOWN}
    assert concerns_of("getpid") == {Concern.PRIVATE}


def test_whoever_may_have_to_wait_for_a_time_depends_on_the_time() -> None:
    for name in PATIENT:
        assert {Concern.WAITS, Concern.TIME} <= concerns_of(name), name


def test_a_group_has_all_its_calls_and_an_unknown_one_is_an_error() -> None:
    assert calls_in("wait") == {"wait4", "waitid"}
    assert calls_in("fork", "exit") == calls_in("fork") | calls_in("exit")
    with pytest.raises(ValueError, match="forq"):
        calls_in("fork", "forq")


def test_a_limit_says_how_for_ever_is_told() -> None:
    assert PATIENT["poll"].is_for_ever(0xFFFF_FFFF)
    assert not PATIENT["poll"].is_for_ever(0)
    assert PATIENT["ppoll"].is_for_ever(0)
    assert PATIENT["futex"].expired == -110


def test_an_int_is_the_lower_half_of_its_register() -> None:
    assert int32(0x1234_5678_FFFF_FFFF) == -1
    assert int32(0x7FFF_FFFF) == 0x7FFF_FFFF


def test_a_call_is_spoken_of_as_programs_know_it() -> None:
    names = ["rt_sigsuspend", "wait4", "pwrite64", "read"]
    assert [spoken_name(name) for name in names] == ["sigsuspend", "wait", "pwrite", "read"]
