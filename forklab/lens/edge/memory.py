"""What a process under the lens computes with: all memory that it can write to, and its registers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from forklab.lens.edge import proc, ptrace

_MOST = 64 << 20  # bytes
_AT_ONCE = 1 << 20
_PAGE, _WORD = 4096, 8
_RED_ZONE = 128  # bytes below the stack pointer that are in use: System V ABI for x86-64
_NOTHING = bytes(_PAGE)
SEMAPHORES = "/dev/shm/sem."  # so the names of their files begin: sem_overview(7)


class _UnfitError(Exception):
    """It is more than we read, or shared with others."""


class Shared(NamedTuple):
    """A place in memory that processes share: of which file, by device and inode, and where in it."""

    device: str
    inode: int
    offset: int


class Area(NamedTuple):
    """From `start` to `end` something is mapped: `where` it begins, if that is shared. See `closed`."""

    start: int
    end: int
    where: Shared | None
    is_closed: bool


class Memory(NamedTuple):
    """What was in it: the content of `pages` by address. `maps` says where everything is mapped.

    `dead`: there the stack has been, and nobody can tell what was there. `vectors` are the registers that are not
    `general`.
    """

    maps: str
    pages: dict[int, bytes]
    dead: range
    general: bytes
    vectors: bytes


def digest(tid: int) -> bytes | None:
    """Of what is in it; None if it is more than we read, or is shared with others."""
    import hashlib  # here: it loads OpenSSL, and hardly anybody computes in an endless loop

    found = hashlib.blake2b(digest_size=16)
    try:
        for _, content in _pieces(tid, proc.maps(tid), _MOST):
            found.update(content)
    except (OSError, _UnfitError):
        return None
    return found.digest()


def area_at(tid: int, address: int) -> Area | None:
    """What of a process's memory is at this address."""
    return next((area for area in _areas(tid) if area.start <= address < area.end), None)


def closed(tid: int) -> list[Area]:
    """What it shares, and may neither read nor write."""
    return [area for area in _areas(tid) if area.is_closed]


def _areas(tid: int) -> Iterator[Area]:
    try:
        maps = proc.maps(tid)
    except OSError:
        return
    for area, rights, offset, device, inode, *_ in maps:
        start, end = (int(word, 16) for word in area.split("-"))
        where = Shared(device, int(inode), int(offset, 16)) if rights[3] == "s" else None
        yield Area(start, end, where, is_closed=rights == "---s")


def shared_at(tid: int, address: int) -> Shared | None:
    """What is at this address of a process; None if it shares nothing there."""
    area = area_at(tid, address)
    if area is None or area.where is None:
        return None
    return area.where._replace(offset=area.where.offset + address - area.start)


def read(tid: int, most: int) -> Memory | None:
    """Of one that stands still. None if it is more than `most` bytes, or is shared with others.

    But for POSIX semaphores: what is in them nobody can tell but by functions for them.
    """
    try:
        maps = proc.maps(tid)
        stack = ptrace.call(tid).stack
        general, vectors = ptrace.registers(tid), ptrace.vectors(tid)
        pages = {
            start + place: content[place : place + _PAGE]
            for start, content in _pieces(
                tid, [one for one in maps if not _is_semaphore(one)], most
            )
            for place in range(0, len(content), _PAGE)
        }
    except (OSError, _UnfitError):
        return None
    dead = range(0)
    places = []
    for area, rights, *file in maps:
        start, _, end = area.partition("-")
        if file[3:] == ["[stack]"]:
            if int(start, 16) <= stack < int(end, 16):
                dead = range(int(start, 16), stack - _RED_ZONE)
            start = ""  # how far it has grown depends on calls that have returned
        if rights == "---s" or _is_semaphore([area, rights, *file]):
            file = file[:1]  # it has another number in each run, and may have another name
        places.append(f"{start}-{end} {rights} {file}")
    return Memory(" ".join(places), pages, dead, general, vectors)


def change(before: Memory, now: Memory) -> str:
    """A digest of where everything is mapped now, and of what is not as it was, word by word."""
    import hashlib  # here: see above

    found = hashlib.blake2b(now.maps.encode() + now.general, digest_size=16)
    for address, page in now.pages.items():
        if address + _PAGE not in now.dead:
            for place, word in _changed(before.pages.get(address, _NOTHING), page):
                if address + place not in now.dead:
                    found.update(b"%d %d " % (address + place, word))
    for place, word in _changed(before.vectors, now.vectors):
        found.update(b"vectors %d %d " % (place, word))
    return found.hexdigest()


def _changed(before: bytes, now: bytes) -> Iterator[tuple[int, int]]:
    """The words that are different, and where they are."""
    if before != now:
        words = memoryview(before).cast("Q"), memoryview(now).cast("Q")
        for number, (old, new) in enumerate(zip(*words, strict=False)):
            if old != new:
                yield _WORD * number, new


def _is_semaphore(line: list[str]) -> bool:
    """As sem_open(3) maps it."""
    return line[1].endswith("s") and line[5:6] != [] and line[5].startswith(SEMAPHORES)


def _pieces(tid: int, maps: list[list[str]], most: int) -> Iterator[tuple[int, bytes]]:
    """Addresses and what is there. Raises OSError and _UnfitError."""
    memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY)
    try:
        for area, rights, *_ in maps:
            if rights[1] != "w":
                continue
            start, end = (int(word, 16) for word in area.split("-"))
            most -= end - start
            if rights[3] == "s" or most < 0:
                raise _UnfitError
            for place in range(start, end, _AT_ONCE):
                yield place, os.pread(memory, min(_AT_ONCE, end - place), place)
    finally:
        os.close(memory)
