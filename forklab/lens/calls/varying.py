"""Answers of the kernel that are other ones in each run, and so are changed here as far as they may be: `Chance`.

Files that a run makes or changes get the machine's times, and inodes as they come; what is free on a disk, in which
order a folder lists what is new in it, how busy the machine is: no two runs are told the same. Mostly nobody looks, and
two runs in a row may be told the same all the same. So who looks is told something else, within reason, and each time.

In every run who asks for its processors is told those that it would have without us: we keep it on one of them.
"""

from __future__ import annotations

import contextlib
import os
import random
import stat
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from forklab.kernel.calls import int32
from forklab.lens.calls import paths
from forklab.lens.edge import births, descriptors, ptrace
from forklab.lens.world.clock import REALTIME, SECOND
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.chance import Chance, Kind

_TICK = 20_000_000  # nanoseconds: times of files are those of the last tick of the kernel's clock
_NEAR = 4 * SECOND


class _Layout(NamedTuple):
    """Where a struct has the inode, the blocks, and the times of access, change of content, change of anything."""

    inode: int
    blocks: int
    times: tuple[int, int, int]
    mode: int


# struct stat begins with st_dev, st_ino, st_nlink, st_mode on x86-64, and st_mode, st_nlink on aarch64; struct statx.
_STAT = _Layout(8, 64, (72, 88, 104), 24 if os.uname().machine == "x86_64" else 16)
_STATX = _Layout(32, 48, (64, 112, 96), 28)
_STATS = {"stat": 1, "lstat": 1, "fstat": 1, "newfstatat": 2}  # the place of the struct's address
_STAT_SIZE, _STATX_SIZE = 144, 256
_TIME, _WORD, _HALF = struct.Struct("<qq"), struct.Struct("<Q"), struct.Struct("<H")
# Of struct statfs: f_blocks; f_bfree, f_bavail of these; f_files; f_ffree of these.
_STATFS = ((16, (24, 32)), (40, (48,)))
# Of struct sysinfo: uptime, three loads; totalram; freeram, sharedram, bufferram; totalswap, freeswap; procs.
_SYSINFO_SIZE, _LOADS, _PROCESSES = 112, (8, 16, 24), 80
_SYSINFO = ((32, (40, 48, 56)), (64, (72,)))
_ENTRY = struct.Struct(
    "<QQH"
)  # of getdents64(2): the inode, where the next one is, how long this one is
_NAME_AT = {"getdents64": 19, "getdents": 18}
_LOOKS = frozenset({*_STATS, "statx"})
_MADE_BY_THE_KERNEL = ("/proc", "/dev", "/sys")
_NOFOLLOW = 0x100  # AT_SYMLINK_NOFOLLOW
_AFFINITY = "sched_getaffinity"
_SETS_AFFINITY = "sched_setaffinity"


def concerns(run: Run, tracee: Tracee, call: Call) -> bool:
    """Whether its answer is to be changed."""
    if call.name in (_AFFINITY, _SETS_AFFINITY):
        return True
    kind = _KINDS.get(call.name)
    if kind is None or run.chance is None or not run.chance.has(kind):
        return False
    return call.name not in _LOOKS or run.undo.has_work or _is_nobodys(tracee, call)


def _is_nobodys(tracee: Tracee, call: Call) -> bool:
    """What is no file in a folder, so that it is made anew in each run: a pipe, a terminal, what is in /proc."""
    if call.name == "fstat":
        link = descriptors.link(tracee.member.pid, int32(call.arguments[0])) or ""
        return not link.startswith("/") or link.startswith(_MADE_BY_THE_KERNEL)
    place = 1 if call.name in ("newfstatat", "statx") else 0
    name = paths.text(tracee, call.arguments[place])
    return not name or name.startswith(_MADE_BY_THE_KERNEL)


def returned(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """At the exit of such a call."""
    if result >= 0 and concerns(run, tracee, call):
        with contextlib.suppress(OSError, struct.error):
            _CHANGES[call.name](run, tracee, call, result)


def _chance(run: Run) -> Chance:
    assert run.chance is not None
    return run.chance


def _choices(run: Run) -> random.Random:
    """Others with each call."""
    run.varied += 1
    return _chance(run).choices(f"answer {run.varied}")


def _stat(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    address = call.arguments[_STATS[call.name]]
    _change_about(run, tracee, address, _STAT, _STAT_SIZE, _what(tracee, call))


def _statx(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    _change_about(run, tracee, call.arguments[4], _STATX, _STATX_SIZE, _what(tracee, call))


def _what(tracee: Tracee, call: Call) -> tuple[str, bool]:
    """A path to what is looked at, and whether to follow it."""
    if call.name == "fstat":
        return f"/proc/{tracee.tid}/fd/{int32(call.arguments[0])}", True
    at = call.name in ("newfstatat", "statx")
    folder = int32(call.arguments[0]) if at else paths.AT_FDCWD
    base = paths.base(tracee, folder)
    name = paths.text(tracee, call.arguments[at])
    flags = call.arguments[3 if call.name == "newfstatat" else 2] if at else 0
    if not name:
        return base, True
    return os.path.join(base, name), not (call.name == "lstat" or flags & _NOFOLLOW)


def _change_about(
    run: Run, tracee: Tracee, address: int, layout: _Layout, size: int, what: tuple[str, bool]
) -> None:
    """Of what was made or changed since the first run began: its inode, its times, how much of a disk it takes."""
    content = bytearray(ptrace.read_memory(tracee.tid, address, size))
    (inode,) = _WORD.unpack_from(content, layout.inode)
    is_new = [_is_of_now(run, _time_at(content, place)) for place in layout.times]
    if not any(is_new):
        run.old_inodes.add(inode)
        return
    choices = _choices(run)
    for place, is_one in zip(layout.times, is_new, strict=True):
        if is_one:
            time = run.clock.shows(REALTIME) + choices.randint(-_NEAR, _NEAR)
            pad = content[place + 12 : place + 16] if layout is _STATX else b""
            _TIME.pack_into(content, place, *divmod(time, SECOND))
            content[place + 16 - len(pad) : place + 16] = pad
    if is_new[2]:
        _WORD.pack_into(content, layout.inode, _inode(run, inode, *what))
        (mode,) = _HALF.unpack_from(content, layout.mode)
        if stat.S_ISREG(mode):
            (blocks,) = _WORD.unpack_from(content, layout.blocks)
            _WORD.pack_into(content, layout.blocks, choices.randint(0, 2 * blocks + 8))
    else:
        run.old_inodes.add(inode)
    ptrace.write_memory(tracee.tid, address, bytes(content))


def _time_at(content: bytearray, place: int) -> int:
    seconds, rest = struct.unpack_from("<qI", content, place)
    return int(seconds * SECOND + rest)


def _is_of_now(run: Run, time: int) -> bool:
    return time >= run.began - _TICK


def _inode(run: Run, inode: int, path: str, follow: bool) -> int:
    """Another one in its place, the same throughout a run. What was there before has the same in each run."""
    made = births.birth(path, follow=follow)
    if inode in run.old_inodes or (made is not None and not _is_of_now(run, made)):
        return inode
    return _chance(run).inode(inode)


def _list(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """getdents(2): what is new has another inode, and a folder with something new in it another order."""
    address, name_at = call.arguments[1], _NAME_AT[call.name]
    content = ptrace.read_memory(tracee.tid, address, result)
    folder = f"/proc/{tracee.tid}/fd/{call.arguments[0] & 0xFFFFFFFF}"
    entries, places = [], []
    for inode, place, entry in _entries(content):
        name = os.fsdecode(entry[name_at:].split(b"\0")[0])
        path = f"{folder}/{name}"
        if name not in (".", "..") and _is_of_now(run, os.lstat(path).st_ctime_ns):
            inode = _inode(run, inode, path, follow=False)
        entries.append(_WORD.pack(inode) + entry[_WORD.size :])
        places.append(place)
    if _is_of_now(run, os.stat(folder).st_mtime_ns):
        _choices(run).shuffle(entries)
    ordered = (
        entry[:8] + _WORD.pack(place) + entry[16:]
        for entry, place in zip(entries, places, strict=True)
    )
    ptrace.write_memory(tracee.tid, address, b"".join(ordered))


def _entries(content: bytes) -> Iterator[tuple[int, int, bytes]]:
    start = 0
    while start < len(content):
        inode, place, size = _ENTRY.unpack_from(content, start)
        yield inode, place, content[start : start + size]
        start += size


def _room(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """statfs(2)"""
    content = bytearray(ptrace.read_memory(tracee.tid, call.arguments[1], 56))
    _use_some(content, _STATFS, _choices(run), _chance(run).number)
    ptrace.write_memory(tracee.tid, call.arguments[1], bytes(content))


def _machine(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """sysinfo(2)"""
    content = bytearray(ptrace.read_memory(tracee.tid, call.arguments[0], _SYSINFO_SIZE))
    choices = _choices(run)
    _WORD.pack_into(content, 0, choices.randrange(100, 10**6))
    for place in _LOADS:
        _WORD.pack_into(content, place, choices.randrange(1 << 19))
    _use_some(content, _SYSINFO, choices, _chance(run).number)
    _HALF.pack_into(content, _PROCESSES, choices.randrange(50, 5000))
    ptrace.write_memory(tracee.tid, call.arguments[0], bytes(content))


def _use_some(
    content: bytearray,
    layout: tuple[tuple[int, tuple[int, ...]], ...],
    choices: random.Random,
    number: int,
) -> None:
    """Of each whole nothing is left, or all of it, or something between."""
    for whole_at, left_at in layout:
        (whole,) = _WORD.unpack_from(content, whole_at)
        some = choices.randrange(whole) if whole else 0
        for place in left_at:
            _WORD.pack_into(content, place, (some, 0, whole)[number % 3])


def _parent(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """getppid(2) of the first process: whoever has started it."""
    if tracee.member.parent is None and tracee.member is run.chronicle.first:
        ptrace.set_result(tracee.tid, _chance(run).parent)


def _processors(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    """sched_getaffinity(2), of who has not chosen for itself"""
    if not run.chose_processors and run.processors:
        mask = sum(1 << processor for processor in run.processors)
        content = mask.to_bytes(max(result, _WORD.size), "little")[:result]
        ptrace.write_memory(tracee.tid, call.arguments[2], content)


def _choose_processors(run: Run, tracee: Tracee, call: Call, result: int) -> None:
    run.chose_processors = True


_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((*_STATS, "statx", *_NAME_AT, "statfs", "fstatfs", "sysinfo"), Kind.FILES),
    "getppid": Kind.NUMBERS,
}
_CHANGES: Mapping[str, Callable[[Run, Tracee, Call, int], None]] = {
    **dict.fromkeys(_STATS, _stat),
    "statx": _statx,
    **dict.fromkeys(_NAME_AT, _list),
    **dict.fromkeys(("statfs", "fstatfs"), _room),
    "sysinfo": _machine,
    "getppid": _parent,
    _AFFINITY: _processors,
    _SETS_AFFINITY: _choose_processors,
}
