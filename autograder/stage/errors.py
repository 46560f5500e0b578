"""What can go wrong: on our side, and by a submission that takes all it can get."""

from __future__ import annotations

import errno
from collections.abc import Mapping


class StageError(Exception):
    """The stage itself failed: the machine lacks something, or the judge made a mistake. Never the student's doing."""


class RestlessError(StageError):
    """It cannot be told whether a play is at rest: nobody runs, but somebody cannot be woken; or it takes too long."""


class UntoldError(StageError):
    """The kernel does not tell us how somebody ended, at least not yet: it may once that one has been reaped."""


class ShortageError(StageError):
    """The machine, or whatever looks like it from here, is short of something that the play needs."""


class UnrulyError(Exception):
    """A submission starts one process after the other, without an end: the play never comes to rest."""


class ExcessError(Exception):
    """A submission took too much of something, and was killed for it. The text says of what, as in EXCESSES."""


# By the launcher's word for each.
EXCESSES: Mapping[str, str] = {
    "memory": "more than 512 MB of memory in all its processes together",
    "processes": "more than 512 processes and threads at the same time",
    "files": "too many files and folders, or folders that nobody may enter",
    "disk": "more than 256 MB of files",
}

# What the kernel says when it is short of something: processes, memory, open files, room on a disk. Of actors, which
# ask for little, it is never what a correct init leads to.
SHORTAGES = frozenset(
    {
        errno.EAGAIN,
        errno.ENOMEM,
        errno.ENFILE,
        errno.EMFILE,
        errno.ENOSPC,
        errno.EDQUOT,
        errno.ENOBUFS,
    }
)


class NeverEndsError(StageError):
    """A build has not ended within the time that even a busy machine has for it, and it cannot be told why."""


class UnableError(StageError):
    """This machine cannot give such a play; the words say what is missing."""
