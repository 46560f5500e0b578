"""Calls whose answer nobody decides, and no schedule repeats: random numbers, how much of something was used.

Some ask for such things on their way and never show them: libc at its start for its heap, Python for its heap, its
hashes and its module `random`, which a package may import there. So random numbers of that module go unnoticed here.
"""

from __future__ import annotations

import re

from forklab.kernel.calls import int32
from forklab.lens.edge import descriptors
from forklab.lens.world.run import Run
from forklab.lens.world.tracees import Call, Tracee

_USAGE = {"wait4": 3, "waitid": 4}  # the place of the argument where use of resources is told
_TELL_USE = frozenset({"getrusage", "times", "getcpu"})
_READS = frozenset({"read", "readv", "pread64", "preadv"})
_OF_CHANCE = re.compile(
    r"/dev/u?random|/proc/(?!filesystems|version|mounts|devices)[a-z_]+"
)  # files: random(4), proc(5)
_GRND_NONBLOCK = 1
# Bytes: for malloc(3), Python's hashes, mimalloc, which is in each Python from 3.13 on, and the module random.
_AT_START = frozenset({8, 24, 32, 2496})


def notice(run: Run, tracee: Tracee, call: Call) -> None:
    """Says so."""
    what = _what_is_asked(tracee, call)
    if what:
        run.because(f"{tracee.member.name} {what}, which nobody decides")


def _what_is_asked(tracee: Tracee, call: Call) -> str:
    name, arguments = call.name, call.arguments
    if name in _TELL_USE:
        return f"asks how much it has used, in {name}"
    if name in _USAGE and arguments[_USAGE[name]]:
        return f"asks how much its children have used, in {name}"
    if name == "getrandom" and not (arguments[2] & _GRND_NONBLOCK and arguments[1] in _AT_START):
        return "asks for random numbers"
    if name in _READS:
        link = descriptors.link(tracee.member.pid, int32(arguments[0])) or ""
        if _OF_CHANCE.fullmatch(link):
            return f"reads {link}"
    return ""
