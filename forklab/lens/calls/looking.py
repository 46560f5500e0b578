"""What a process reads of others, or of itself, in /proc: as if nobody were traced. See proc(5), /proc/pid/status.

The kernel tells that whoever is held is in a "tracing stop"; we know whether it could run, sleeps or is stopped. So
what was read is changed in the reader's memory: state letters, TracerPid, our filter, signals that wait for it only
because it is traced, and where in the kernel it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator

from forklab.kernel.calls import PATIENT, calls_in, int32
from forklab.kernel.signals import HARMLESS_MASK
from forklab.lens.calls import sockets, writing
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.world.onward import AT_ONCE, INTO_ITS_CALL, Onward
from forklab.lens.world.run import Edit, Run
from forklab.lens.world.stands import Stand
from forklab.lens.world.tracees import Call, Tracee
from forklab.steps.state import READS

_TELLING = re.compile(r"/proc/(\d+)(?:/task/(\d+))?/(stat|status|wchan|syscall)")
_SLEEPS = calls_in("wait", "sleep", "suspend", "read", "write") | frozenset(PATIENT)
_WORDS = {"R": "running", "S": "sleeping", "D": "disk sleep", "T": "stopped", "Z": "zombie"}
# Of those whom we hold, where in the kernel they would be.
_WCHANS = {
    **dict.fromkeys(calls_in("wait"), b"do_wait"),
    **dict.fromkeys(calls_in("sleep"), b"hrtimer_nanosleep"),
}
_LINE = re.compile(
    rb"^(State|TracerPid|Seccomp|Seccomp_filters|SigPnd|ShdPnd):\t(.*)$", re.MULTILINE
)


def read(run: Run, tracee: Tracee, call: Call) -> Onward:
    """At the entry of a call that reads from a descriptor."""
    if call.name == "connect" and sockets.calls_nobody(tracee, call):
        return AT_ONCE
    onward = writing.read(run, tracee, call)
    number = int32(call.arguments[0])
    if onward is AT_ONCE and call.name in READS and run.surroundings.is_of_proc(tracee.tid, number):
        link = descriptors.link(tracee.tid, number) or ""
        if (found := _TELLING.fullmatch(link)) is not None:
            call.looks_at = link, int(found[2] or found[1]), found[3]
            return INTO_ITS_CALL
    return onward


def disguise(run: Run, tracee: Tracee, call: Call, result: int) -> int:
    """At its exit. Answers how many bytes it has read now; if none of them is left, it reads on."""
    number = int32(call.arguments[0])
    position = max(0, descriptors.position(tracee.tid, number) - result)
    known = tracee.member, number
    pieces = list(writing.pieces(tracee, call))
    content = b"".join(ptrace.read_memory(tracee.tid, *piece) for piece in _first(result, pieces))
    if position == 0 or known not in run.shown:
        run.shown[known] = tuple(_edits(run, tracee, call, b"" if position else content))
    edits = run.shown[known]
    if not any(edit.start < position + result and position < edit.end for edit in edits):
        return result
    shown = _applied(edits, content, position)[: sum(size for _, size in pieces)]
    if not shown:
        ptrace.call_again(tracee.tid, call.name, call.arguments[0])
        return 0
    left = shown
    for address, size in _first(len(shown), pieces):
        ptrace.write_memory(tracee.tid, address, left[:size])
        left = left[size:]
    ptrace.set_result(tracee.tid, len(shown))
    return len(shown)


def _first(length: int, pieces: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Where the first so many bytes of them are."""
    for address, size in pieces:
        if length > 0:
            yield address, min(size, length)
        length -= size


def _applied(edits: tuple[Edit, ...], content: bytes, position: int) -> bytes:
    """`content` is what stands from `position` on; an edit may begin before it, or end behind it."""
    found, here, end = b"", position, position + len(content)
    for edit in edits:
        first, last = max(here, edit.start), min(end, edit.end)
        if first < last:
            found += content[here - position : first - position]
            rest = None if last == edit.end else last - edit.start
            found += edit.new[first - edit.start : rest]
            here = last
    return found + content[here - position :]


def _edits(run: Run, reader: Tracee, call: Call, content: bytes) -> Iterator[Edit]:
    """All that belong into a file, in their order. `content` is what the reader has read from its beginning."""
    assert call.looks_at is not None
    path, tid, file = call.looks_at
    try:
        with open(path, "rb") as opened:
            text = opened.read()
    except OSError:
        return
    if tid == reader.tid:  # it was running when it read that
        text = text.replace(b"t (tracing stop)", b"R (running)", 1)
    if file == "status":
        text = as_read(content, text)
    other = run.world.tracees.get(tid)
    letter = _letter(other, tid)
    if file == "stat" and letter:
        place = text.rindex(b")") + 2
        yield Edit(place, place + 1, letter.encode())
    elif file == "status":
        yield from _edits_of_status(run, tid, letter, text)
    elif file == "syscall" and letter == "R":
        yield Edit(0, len(text), b"running\n")
    elif file == "wchan" and letter and other is not None:
        name = other.call.name if other.call is not None and letter == "S" else ""
        place_in_kernel = b"do_signal_stop" if letter == "T" else _WCHANS.get(name)
        if text == b"ptrace_stop":
            yield Edit(0, len(text), place_in_kernel or b"0")


def as_read(content: bytes, text: bytes) -> bytes:
    """A whole /proc/pid/status that begins with the whole lines of `content`; what follows is from `text`, read later.

    Between the two a line may have become longer: SigQ counts the signals that are pending for all of a user's
    processes, and tells it without blanks before it.
    """
    lines = content[: content.rfind(b"\n") + 1]
    last = lines[lines.rfind(b"\n", 0, -1) + 1 :].partition(b":")[0]
    found = re.search(rb"^%s:.*\n" % re.escape(last), text, re.MULTILINE) if last else None
    return lines + text[found.end() :] if found else text


def _edits_of_status(run: Run, tid: int, letter: str | None, text: bytes) -> Iterator[Edit]:
    tracee = run.world.tracees.get(tid)
    member = tracee.member if tracee is not None else run.chronicle.get(tid)
    found = {line[1].decode(): line for line in _LINE.finditer(text)}
    filters = int(found["Seccomp_filters"][2]) if "Seccomp_filters" in found else 1
    for name, line in found.items():
        new = None
        if name == "State":
            new = f"{letter} ({_WORDS[letter]})".encode() if letter else None
        elif member is None:
            continue
        elif name == "TracerPid":
            new = b"0"
        elif name == "Seccomp_filters":
            new = b"%d" % max(0, filters - 1)
        elif name == "Seccomp" and filters <= 1:
            new = b"0"
        elif name in ("SigPnd", "ShdPnd") and (masks := proc.masks(member.pid, tid)) is not None:
            harmless = masks.ignored | HARMLESS_MASK & ~masks.caught
            new = b"%016x" % (int(line[2], 16) & (masks.blocked | ~harmless))
        if new is not None:
            yield Edit(line.start(2), line.end(2), new)


def _letter(other: Tracee | None, tid: int) -> str | None:
    """How this thread stands, as the kernel would have it. None: as it says."""
    if other is None:
        return "S" if tid == os.getpid() else None  # whoever has started the program waits for it
    match other.stand:
        case Stand.STOPPED:
            return "T"
        case Stand.READY:
            return "R"
        case Stand.HELD:
            return "S" if other.call is not None and other.call.name in _SLEEPS else "R"
        case Stand.INSIDE if other.unfinished_birth:
            return "D"
    return None
