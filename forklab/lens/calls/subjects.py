"""What a subject of a call touches: a descriptor, a path, a process; see `forklab.lens.calls.touching`."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress

from forklab.kernel.calls import Sort, Subject, int32
from forklab.lens.calls import paths
from forklab.lens.edge import descriptors, proc
from forklab.lens.world.run import Run
from forklab.lens.world.surroundings import File, identity
from forklab.lens.world.tracees import Call, Tracee
from forklab.runnable import is_python
from forklab.steps.state import KEYS, READS, TERMINAL, WRITES, Touch

Touches = list[Touch]

MOVE_ON = frozenset({"read", "readv", "lseek", "getdents", "getdents64"})  # the offset; no more
_PTS, _PTMX = range(136, 144), (5, 2)  # devices: by their major numbers, by both

# What these write to the output, nobody would see; nor how they wait at a channel.
_UNSEEN = frozenset({"sendfile", "copy_file_range", "preadv2", "pwritev2"})
# What these do to a pipe, a channel or a terminal, or ask of it, is an error or always the same.
_FUTILE_ON_STREAMS = frozenset(
    {
        "fstat",
        "newfstatat",
        "statx",
        "lseek",
        "pread64",
        "pwrite64",
        "getdents64",
        "fchdir",
        "getsockname",
        "getpeername",
    }
)


# Where the children of a process are listed, and the folders on the way there. It has one thread, of its own number.
_ABOUT_CHILDREN = re.compile(r"/proc/(?P<pid>\d+)/task(/(?P=pid)(?P<list>/children)?)?")
_OWN_PROGRAM = "/proc/self/exe"
_ABOUT_PROCESSES = frozenset({"self", "thread-self", "mounts", "net"})


_ON_A_SOCKET_ALONE = _FUTILE_ON_STREAMS | {"setsockopt", "fcntl"}


class NotModelledError(Exception):
    """Nobody knows what this call may tell others, or ask of them."""


def of_subject(
    run: Run, tracee: Tracee, call: Call, subject: Subject, *, tells: bool
) -> Iterator[Touch]:
    """Raises NotModelledError."""
    arguments = [call.arguments[place] for place in subject.places]
    match subject.sort:
        case Sort.DESCRIPTOR:
            yield from of_descriptor(run, tracee, call, int32(arguments[0]), tells=tells)
        case Sort.PATH:
            yield from of_path(run, tracee, paths.AT_FDCWD, arguments[0], tells=tells)
        case Sort.PATH_AT:
            folder, address = arguments
            if (
                paths.text(tracee, address) == "" and int32(folder) != paths.AT_FDCWD
            ):  # AT_EMPTY_PATH
                yield from of_descriptor(run, tracee, call, int32(folder), tells=tells)
            else:
                yield from of_path(run, tracee, int32(folder), address, tells=tells)
        case Sort.PROCESS:
            yield from of_process(run, tracee, int32(arguments[0]) if arguments else 0, tells)
        case Sort.HERE:
            yield from _on_the_way_to(paths.base(tracee, paths.AT_FDCWD))
        case Sort.CHANCE:
            pass
        case _:
            yield Touch(str(subject.sort), tells)


def of_process(run: Run, tracee: Tracee, pid: int, tells: bool) -> Iterator[Touch]:
    member = run.chronicle.latest_called(tracee.member, pid) if pid else tracee.member
    if member is not None:
        yield Touch(f"process {member.name}", tells)
        if member is not tracee.member:
            yield Touch(f"life {member.name}", tells=False)


def of_descriptor(
    run: Run, tracee: Tracee, call: Call, number: int, *, tells: bool
) -> Iterator[Touch]:
    """Raises NotModelledError for what is no file, folder or channel, nor something in which nobody can notice it."""
    pid = tracee.member.pid
    try:
        about = os.stat(f"/proc/{pid}/fd/{number}")
    except OSError:
        return  # EBADF, and nobody notices
    kind = stat.S_IFMT(about.st_mode)
    where = descriptors.link(pid, number) or ""
    file = (about.st_dev, about.st_ino, about.st_rdev)
    end = run.channels.at(pid, number)
    if end is not None:
        if call.name in _UNSEEN:
            raise NotModelledError
        if call.name not in _FUTILE_ON_STREAMS:
            yield Touch(end.channel, tells)
    elif descriptors.signals_of(pid, number) is not None:
        if call.name == "readv":
            raise NotModelledError
        yield Touch(str(Sort.SIGNALFDS), tells and call.name == "fcntl")
        yield Touch(f"pending {tracee.member.name}", tells=False)
    elif kind == stat.S_IFREG and not where.startswith("/proc/"):
        name = run.resources.label(file, where.removesuffix(" (deleted)"))
        if call.name in MOVE_ON:
            tells = _is_shared(run, tracee, number, file)
        yield Touch(f"file {name}", tells)
    elif of_whose := _ABOUT_CHILDREN.fullmatch(where):
        yield from _of_children(run, tracee, of_whose, is_read=call.name in READS)
    elif kind == stat.S_IFREG:
        is_own = where == f"/proc/{pid}/stat"
        if not (is_own and counts_its_threads(tracee, descriptors.flags(pid, number))):
            yield from _of_proc(run, where)
    elif kind == stat.S_IFDIR:
        if call.name in MOVE_ON:
            tells = _is_shared(run, tracee, number, file)
        yield Touch(f"folder {where.removesuffix(' (deleted)')}", tells)
        yield from _on_the_way_to(paths.base(tracee, number))
    elif file == run.surroundings.terminal and call.name in WRITES:
        yield Touch(TERMINAL, tells=True)
    elif file == run.surroundings.terminal and call.name in READS:
        yield Touch(KEYS, tells=True)
    elif run.surroundings.is_own_socket(file) and call.name in _ON_A_SOCKET_ALONE:
        return  # of no pair, and without a name: nobody can notice it
    elif not _concerns_nobody(run, call, kind, file):
        raise NotModelledError


def _concerns_nobody(run: Run, call: Call, kind: int, file: File) -> bool:
    """Of what is neither a file nor a folder: a terminal, as long as nothing is written, or an error at a pipe."""
    if kind == stat.S_IFCHR:
        if file in run.surroundings.outputs:
            return call.name not in _UNSEEN
        if file == run.surroundings.terminal and call.name in _FUTILE_ON_STREAMS:
            return True
        return not is_terminal(file) or file in run.surroundings.foreign
    return kind == stat.S_IFIFO and call.name in _FUTILE_ON_STREAMS


def is_terminal(file: File) -> bool:
    """A pseudoterminal: there may be somebody at its other side, see pts(4)."""
    major, minor = os.major(file[2]), os.minor(file[2])
    return major in _PTS or (major, minor) == _PTMX


def _is_shared(run: Run, tracee: Tracee, number: int, file: File) -> bool:
    """Whether somebody else has this very descriptor, and with it the offset."""
    mine = tracee.member.pid
    for other in {other.member.pid for other in run.world.tracees.values()} - {mine}:
        for theirs in descriptors.all_of(other):
            is_same_file = identity(f"/proc/{other}/fd/{theirs}") == file
            if is_same_file and descriptors.are_one(mine, number, other, theirs):
                return True
    return False


def of_path(run: Run, tracee: Tracee, folder: int, address: int, *, tells: bool) -> Iterator[Touch]:
    """Each name on the way is asked; for the last one, and what it leads to, see `tells`."""
    written = paths.text(tracee, address) or ""
    if not tells and (of_whose := _ABOUT_CHILDREN.fullmatch(written)):
        yield from _of_children(run, tracee, of_whose, is_read=False)
        return
    for path, is_last in paths.names(tracee, folder, address):
        if paths.is_below(path, "/proc"):
            if tells:
                raise NotModelledError
            if not _is_the_same_for_all(written):
                yield from _of_proc(run, path)
            return
        changes = tells and is_last
        yield Touch(f"name {path}", changes)
        if not is_last:
            continue
        if changes:
            yield Touch(f"folder {os.path.dirname(path)}", tells=True)
        try:
            about = os.lstat(paths.from_here(tracee, path))
        except OSError:
            continue
        if stat.S_ISREG(about.st_mode):
            file = (about.st_dev, about.st_ino, about.st_rdev)
            yield Touch(f"file {run.resources.label(file, path)}", changes)
        elif stat.S_ISDIR(about.st_mode):
            yield Touch(f"folder {path}", changes)


def _of_children(
    run: Run, tracee: Tracee, of_whose: re.Match[str], *, is_read: bool
) -> Iterator[Touch]:
    """Who looks for them is told whether their parent is still there, and who reads its list who they are: proc(5)."""
    parent = run.chronicle.latest_called(tracee.member, int(of_whose["pid"]))
    if parent is None or tracee.member.spaces:
        run.because("it reads /proc, where it can see others")
    elif is_read and of_whose["list"]:
        yield Touch(f"children {parent.name}", tells=False)
    elif parent is not tracee.member:
        yield Touch(f"life {parent.name}", tells=False)


def lists_children(link: str) -> bool:
    """Whether this is the file of /proc with the children of a process that has one thread."""
    found = _ABOUT_CHILDREN.fullmatch(link)
    return found is not None and bool(found["list"])


def _is_the_same_for_all(path: str) -> bool:
    """Whether nobody changes where this path leads to: its own program, or a file that tells of the machine."""
    if path == _OWN_PROGRAM:
        return True
    part = path.removeprefix("/proc/").partition("/")[0]
    is_about_processes = part.isdecimal() or part in _ABOUT_PROCESSES or ".." in path
    return path.startswith("/proc/") and bool(part) and not is_about_processes


def _on_the_way_to(link: str) -> Iterator[Touch]:
    """Each name on the way to this folder, as getcwd(2) tells them, and whether it is still there."""
    with suppress(OSError):
        for path in paths.way_to(link):
            yield Touch(f"name {path}", tells=False)


def _of_proc(run: Run, path: str) -> Iterator[Touch]:
    """Who looks there sees others, but for what is its own or the machine's."""
    part = path.split("/")[2:3]
    if not part or part[0].isdecimal():
        run.because("it reads /proc, where it can see others")
    return iter(())


def counts_its_threads(tracee: Tracee, flags: int) -> bool:
    """Of who opens its own stat in /proc, or has it open. A file that a Python program opens itself has O_CLOEXEC.

    Python itself counts at each fork, from 3.12 on, and looks at nothing else there.
    """
    return is_python(proc.program(tracee.member.pid)) and not flags & os.O_CLOEXEC
