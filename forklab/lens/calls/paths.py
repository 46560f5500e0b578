"""The names that a program passes to the kernel, and the files that they lead to: path_resolution(7)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from forklab.lens.edge import ptrace
from forklab.lens.world.tracees import Tracee

AT_FDCWD = -100  # instead of the descriptor of a folder: the one in which the process is
_MOST_LINKS = 40
_LONGEST = 4096


def names(tracee: Tracee, folder: int, address: int) -> Iterator[tuple[str, bool]]:
    """As `_names_on`, after those on the way to where it starts, who may have another name soon, or be removed.

    Nothing where there is no such text, or folder, and the call is an error.
    """
    written = text(tracee, address)
    if not written:
        return
    try:
        way = [] if written.startswith("/") else list(way_to(base(tracee, folder)))
    except OSError:
        return
    yield from ((path, False) for path in way)
    yield from _names_on(tracee, way[0] if way else "/", written)


def way_to(link: str) -> Iterator[str]:
    """The folder to which this link leads, also if it has been removed, and those in which it is. Raises OSError."""
    path = os.readlink(link).removesuffix(" (deleted)")
    while path != os.path.dirname(path):
        yield path
        path = os.path.dirname(path)


def base(tracee: Tracee, folder: int) -> str:
    """A link to the folder of this descriptor."""
    return f"/proc/{tracee.tid}/" + ("cwd" if folder == AT_FDCWD else f"fd/{folder}")


def from_here(tracee: Tracee, path: str) -> str:
    """What it finds at this full path, as we find it: it may see other files than we do."""
    return f"/proc/{tracee.tid}/root{path}"


def found_from_here(tracee: Tracee, folder: int, path: str) -> str:
    """The same of any path, which may begin at the folder of this descriptor."""
    is_full = path.startswith("/")
    return from_here(tracee, path) if is_full else f"{base(tracee, folder)}/{path}"


def _names_on(tracee: Tracee, start: str, written: str) -> Iterator[tuple[str, bool]]:
    """The full paths of all names on a way, those of links too; and whether it can be the one that is meant."""
    here = start
    left = [part for part in written.split("/") if part not in ("", ".")][::-1]
    if not left:
        yield here, True
    links = 0
    while left:
        part = left.pop()
        path = os.path.dirname(here) if part == ".." else os.path.join(here, part)
        yield path, not left
        here = path
        if is_below(path, "/proc") or not os.path.islink(from_here(tracee, path)):
            continue
        links += 1
        if links > _MOST_LINKS:
            return
        target = os.readlink(from_here(tracee, path))
        here = "/" if target.startswith("/") else os.path.dirname(path)
        left += [part for part in target.split("/") if part not in ("", ".")][::-1]


def text(tracee: Tracee, address: int) -> str | None:
    """What stands there; None if nothing does."""
    try:
        content = ptrace.read_memory(tracee.tid, address, _LONGEST)
    except OSError:
        return None
    return os.fsdecode(content.split(b"\0")[0])


def is_below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + "/")
