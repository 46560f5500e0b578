"""What can go wrong: on our side, and by a submission that takes all it can get."""

from __future__ import annotations

from collections.abc import Mapping


class StageError(Exception):
    """The stage itself failed: the machine lacks something, or the judge made a mistake. Never the student's doing."""


class RestlessError(StageError):
    """A play did not come to rest, or an actor did not answer, within its time.

    It is the submission's doing if it has processes of its own, and else the machine's: too slow.
    """


class ExcessError(Exception):
    """A submission took too much of something, and was killed for it. The text says of what, as in EXCESSES."""


# By the launcher's word for each.
EXCESSES: Mapping[str, str] = {
    "memory": "more than 512 MB of memory in all its processes together",
    "processes": "more than 512 processes and threads at the same time",
    "files": "too many files and folders, or folders that nobody may enter",
    "disk": "more than 256 MB of files",
}


class UnableError(StageError):
    """This machine cannot give such a play; the words say what is missing."""
