"""What a machine or a shell does not give us, as an OSError shows it: in words, with the mend."""

from __future__ import annotations

import errno
import os
import resource

NO_PROC = "there is no /proc here, which shows the processes. Mount it: mount -t proc proc /proc"
_NO_FOLDER = "No usable temporary directory"  # as tempfile says it
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class LacksError(OSError):
    """The words are half a sentence on what is missing, with the mend."""


def has_proc() -> bool:
    return os.path.exists("/proc/self/stat")


def lacks(error: OSError) -> str | None:
    """Half a sentence on what is missing; None if that is not what the error is about."""
    if isinstance(error, LacksError):
        return error.strerror
    if (error.strerror or "").startswith(_NO_FOLDER):
        return "no folder for temporary files can be written to. Set TMPDIR to one that you may write to"
    if error.errno == errno.ENOENT and str(error.filename).startswith("/dev/"):
        return f"there is no {error.filename} here"
    if error.errno == errno.ENOENT and _is_nowhere():
        return "the folder that you are in was removed. Go to another one, with cd"
    if error.errno == errno.EMFILE:
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        return f"no more than {files} files may be open here. Raise that: ulimit -n 1024"
    if error.errno == errno.EAGAIN:
        return "you may have no more processes, see ulimit -u, or this machine has too many"
    if error.errno == errno.E2BIG:
        return "the arguments and the environment are too long together"
    if error.errno in _FULL:
        return full_disk()
    if error.errno in (errno.ENOMEM, errno.ENFILE):
        return f"this machine is short of something: {error.strerror}"
    return None


def _is_nowhere() -> bool:
    try:
        os.getcwd()
    except FileNotFoundError:
        return True
    return False


def full_disk() -> str:
    folder = os.environ.get("TMPDIR", "/tmp")
    return (
        f"no space is left on a disk: where the output goes, or in {folder}. "
        "Make room, or set TMPDIR to another folder"
    )


def last_words(error: BaseException) -> str:
    """Of a process of ours that fails: what it lacks, or where it stood."""
    if isinstance(error, OSError) and (what := lacks(error)):
        return what
    import traceback  # here: hardly anybody needs it

    return "".join(traceback.format_exception(error))
