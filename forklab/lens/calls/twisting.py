"""Whether a program has used a random generator of Python's, a Mersenne twister, or only has one.

Each generator of the module `random` is seeded by the kernel as soon as it is made, and there is one as soon as the
module is imported, by whomever. What it is then follows from the seed: so it is found in memory, and looked at whenever
its process stops. Who has drawn a number has changed it. See _randommodule.c of CPython, and Matsumoto and Nishimura,
"Mersenne twister" (ACM TOMACS 1998).
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from functools import lru_cache

from forklab.lens.edge import proc, ptrace
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Tracee, Twister

_WORDS = 624
SEED = 4 * _WORDS  # bytes that are drawn for one
_SEED = struct.Struct(f"<{_WORDS}I")
_STATE = struct.Struct(f"<i{_WORDS}I")  # how much of it has been used, and the numbers
_MOST_MEMORY = 256 << 20  # bytes
_AT_ONCE = 1 << 20


def seeded(tracee: Tracee, seed: bytes) -> None:
    """It has drawn the seed of one, which it will have made when it stops again."""
    tracee.twisters = (*tracee.twisters, Twister(fresh(seed)))


def check(run: Run, tracee: Tracee) -> None:
    """At the entry of a call. Says it if one has been used, or is not to be found."""
    if not tracee.twisters:
        return
    known: dict[int, Twister] = {}
    for twister in tracee.twisters:
        where = twister.address or _place_of(tracee, twister, known)
        if where is None:
            _say(run, tracee)
        else:
            known[where] = Twister(twister.fresh, where)  # the one that it had been before is gone
    for where, twister in known.items():
        if not _is_there(tracee, twister.fresh, where):
            _say(run, tracee)
            known = {}
            break
    tracee.twisters = tuple(known.values())


def _say(run: Run, tracee: Tracee) -> None:
    run.because(f"{tracee.member.name} uses Python's random numbers, which nobody decides")


def _is_there(tracee: Tracee, fresh: bytes, address: int) -> bool:
    try:
        return ptrace.read_memory(tracee.tid, address, len(fresh)) == fresh
    except OSError:
        return False


def _place_of(tracee: Tracee, twister: Twister, known: dict[int, Twister]) -> int | None:
    """Mostly one is seeded once more."""
    for address in known:
        if _is_there(tracee, twister.fresh, address):
            return address
    try:
        return next(_search(tracee, twister.fresh), None)
    except OSError:
        return None


def _search(tracee: Tracee, fresh: bytes) -> Iterator[int]:
    left = _MOST_MEMORY
    memory = os.open(f"/proc/{tracee.tid}/mem", os.O_RDONLY)
    try:
        for area, rights, *file in proc.maps(tracee.tid):
            start, end = (int(word, 16) for word in area.split("-"))
            if rights[1] != "w" or file[3:4] == ["[stack]"] or left < end - start:
                continue
            left -= end - start
            for begin in range(start, end, _AT_ONCE):
                content = os.pread(memory, min(_AT_ONCE + len(fresh), end - begin), begin)
                place = content.find(fresh)
                if place >= 0:
                    yield begin + place
    finally:
        os.close(memory)


@lru_cache(maxsize=64)
def fresh(seed: bytes) -> bytes:
    """A generator that was seeded with this, as it is in memory: `init_by_array` of Matsumoto and Nishimura."""
    key = _SEED.unpack(seed)
    state = [19650218]
    for place in range(1, _WORDS):
        before = state[-1] ^ state[-1] >> 30
        state.append(1812433253 * before + place & 0xFFFFFFFF)
    place = 1
    for number, word in enumerate(key):
        before = state[place - 1] ^ state[place - 1] >> 30
        state[place] = (state[place] ^ before * 1664525) + word + number & 0xFFFFFFFF
        place += 1
        if place >= _WORDS:
            state[0], place = state[-1], 1
    for _ in range(_WORDS - 1):
        before = state[place - 1] ^ state[place - 1] >> 30
        state[place] = (state[place] ^ before * 1566083941) - place & 0xFFFFFFFF
        place += 1
        if place >= _WORDS:
            state[0], place = state[-1], 1
    state[0] = 0x80000000
    return _STATE.pack(_WORDS, *state)
