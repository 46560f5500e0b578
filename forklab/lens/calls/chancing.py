"""Calls whose answer nobody decides, and no schedule repeats: random numbers, how much of something was used.

Who makes one is named, and then nobody says that nothing else can happen. Some are made on the way, for what is never
shown as it is: by libc for its heap, by Python for its hashes. These are told by where the answer goes, and left to
`Chance`. Those for generators of Python's module `random` are followed up in `forklab.lens.calls.twisting`.
"""

from __future__ import annotations

import os
import random
import re
import stat
from collections.abc import Iterator

from forklab.kernel.calls import int32
from forklab.lens.calls import paths, twisting
from forklab.lens.calls.subjects import lists_children
from forklab.lens.edge import descriptors, proc, ptrace
from forklab.lens.edge.callsite import is_below
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee
from forklab.runnable import is_python
from forklab.steps.chance import Kind

_USAGE = {"wait4": 3, "waitid": 4}  # the place of the argument where use of resources is told
_TELL_USE = frozenset({"getrusage", "times", "getcpu"})
# With the place of the argument that says from where.
_READS = {
    **dict.fromkeys(("read", "readv", "pread64", "preadv", "preadv2"), 0),
    "sendfile": 1,
    "splice": 0,
    "copy_file_range": 0,
}
_LINKS = {"readlink": None, "readlinkat": 0}  # the place of the argument with the folder
# What the kernel tells of itself and does not change by itself, see proc(5) and sysfs(5); of a process what it brings
# along.
_STEADY = re.compile(
    r"/proc/(filesystems|version|devices|cmdline|mounts)"
    r"|/proc/\d+/(cmdline|comm|environ|limits|mounts|mountinfo|cgroup|[ug]id_map|setgroups|loginuid|sessionid|oom_score_adj)"
    r"|/proc/sys/kernel/(os.*|version|hostname|domainname|\w+_max|\w+-max|msg\w+|sem|shm\w+|core_\w+|yama/\w+|randomize_va_space)"
    r"|/proc/sys/(vm|net)/.*"
    r"|/proc/sys/fs/(.*max.*|nr_open|mqueue/.*)"
    r"|/sys/devices/system/cpu/(online|possible|present)"
    r"|/sys/kernel/mm/transparent_hugepage/.*"
    r"|/sys/fs/(selinux|cgroup)/.*(max|min|high|low|controllers|type|enforce)"
)
_KERNELS = ("/proc/", "/sys/")
# Of glibc: it reads from /proc/self/maps where the first thread has its stack.
_WHERE_THE_STACK_IS = "pthread_getattr_np"
_STEADY_DEVICES = frozenset(os.makedev(1, minor) for minor in (3, 5, 7))  # null, zero, full: mem(4)
_GRND_NONBLOCK = 1
# Bytes: for malloc(3), for Python's hashes, and for its heap from 3.13 on, mimalloc, which has them on the stack.
_HEAP, _HASHES, _PYTHONS_HEAP = 8, 24, 32
_ABOUT_US = frozenset({21, 39})  # PR_GET_SECCOMP, PR_GET_NO_NEW_PRIVS: prctl(2)


def notice(run: Run, tracee: Tracee, call: Call) -> None:
    """Says so."""
    what = _what_is_asked(tracee, call)
    if what:
        run.because(f"{tracee.member.name} {what}, which nobody decides")
    if _is_about_us(call):
        run.because(
            f"{tracee.member.name} asks, by {call.name}, for what has another answer while it is followed"
        )


def _what_is_asked(tracee: Tracee, call: Call) -> str:
    name, arguments = call.name, call.arguments
    if name in _TELL_USE:
        return f"asks how much it has used, in {name}"
    if name in _USAGE and arguments[_USAGE[name]]:
        return f"asks how much its children have used, in {name}"
    if name == "getrandom" and not _is_drawn_on_the_way(tracee, call):
        return "asks for random numbers"
    if name in _READS:
        return _read_from(tracee, int32(arguments[_READS[name]]))
    if name in _LINKS:
        return _link_read(tracee, call)
    return ""


def _read_from(tracee: Tracee, number: int) -> str:
    link = descriptors.link(tracee.member.pid, number) or ""
    if not link.startswith("/"):
        return ""
    if link.startswith(_KERNELS):
        is_for_nobody = _is_read_by_python_itself(tracee, link.removeprefix("/proc/"))
        is_known = _STEADY.fullmatch(link) or is_for_nobody or lists_children(link)
        return "" if is_known else f"reads {link}"
    try:
        about = os.stat(f"/proc/{tracee.member.pid}/fd/{number}")
    except OSError:
        return ""
    if stat.S_ISCHR(about.st_mode) and about.st_rdev not in _STEADY_DEVICES:
        return "" if link.startswith(("/dev/pts/", "/dev/tty")) else f"reads {link}"
    return ""


def _is_read_by_python_itself(tracee: Tracee, file: str) -> bool:
    """What it never shows: how many threads it has, when it forks; and where its stack ends, from 3.14 on."""
    pid = tracee.member.pid
    if file not in (f"{pid}/stat", f"{pid}/maps") or not is_python(proc.program(pid)):
        return False
    return file == f"{pid}/stat" or is_below(tracee.tid, _WHERE_THE_STACK_IS)


def _link_read(tracee: Tracee, call: Call) -> str:
    """Of pipes, sockets, namespaces it tells the inode: proc(5), /proc/PID/fd."""
    place = _LINKS[call.name]
    folder = paths.AT_FDCWD if place is None else int32(call.arguments[place])
    path = paths.text(tracee, call.arguments[0 if place is None else 1]) or ""
    if not path.startswith("/"):
        base = descriptors.link(tracee.member.pid, folder) if folder != paths.AT_FDCWD else None
        path = os.path.join(base or "", path)
    for own in ("/proc/self/", "/proc/thread-self/"):
        path = path.replace(own, f"/proc/{tracee.member.pid}/", 1)
    try:
        is_numbered = path.startswith("/proc/") and ":[" in os.readlink(path)
    except OSError:
        return ""
    return "asks for the number of something without a name, in /proc" if is_numbered else ""


def _is_about_us(call: Call) -> bool:
    """It would be told that it has our filter, and maybe that it gains no privileges."""
    return call.name == "prctl" and int32(call.arguments[0]) in _ABOUT_US


def _is_drawn_on_the_way(tracee: Tracee, call: Call) -> bool:
    address, size, flags, *_ = call.arguments
    if not flags & _GRND_NONBLOCK:
        return False
    program = proc.program(tracee.member.pid)
    if size in (twisting.SEED, _PYTHONS_HEAP):
        return is_python(program)
    if size not in (_HEAP, _HASHES):
        return False
    files = [os.path.basename(file) for file in _files_with(tracee, address)]
    if size == _HASHES:
        return any(file.startswith(("python", "libpython")) for file in files)
    return any(file.startswith(("libc.so", "libc-")) for file in files)


def _files_with(tracee: Tracee, address: int) -> Iterator[str]:
    """The file whose variables are there: those that begin as zeros are in anonymous memory behind it.

    For a program without a C library of its own in a file, that is any name.
    """
    try:
        maps = proc.maps(tracee.tid)
    except OSError:
        return
    file, end, names = "", 0, set()
    for area, _, _, _, _, *name in maps:
        start, after = (int(word, 16) for word in area.split("-"))
        if name:
            file = name[0]
            names.add(os.path.basename(file))
        elif start != end:
            file = ""
        end = after
        if start <= address < after:
            yield file if not file.startswith("[") else ""
    if not any(".so" in name for name in names):
        yield "libc.so"


def returned(run: Run, tracee: Tracee, call: Call, result: int, *, by_memory: bool) -> None:
    """At the exit of getrandom(2): the same numbers in each run, so that what was found can be seen again."""
    if call.name != "getrandom" or result <= 0:
        return
    address = call.arguments[0]
    if not by_memory and not (run.chance and run.chance.has(Kind.ADDRESSES)):
        run.varied += 1
        content = random.Random(f"{tracee.member.name} {run.varied}").randbytes(result)
        ptrace.write_memory(tracee.tid, address, content)
    if result == twisting.SEED and is_python(proc.program(tracee.member.pid)):
        twisting.seeded(tracee, ptrace.read_memory(tracee.tid, address, result))
