"""A scratch folder that is gone once we are, also if we are killed."""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Self

_LONGEST_BASE = 60  # a socket below it must fit into sockaddr_un: 107 bytes, see unix(7)

# Its standard input is a pipe from us: it reads the end of it when we close it, or when the kernel does so for us.
# Whoever still writes into the folder is being killed at that moment, hence a few tries.
# Where no further process can be started the shell ends early, and becomes the one that it would have started.
_GUARDIAN = (
    "trap 'exec rm -rf -- \"$1\"' EXIT; read -r nothing; "
    'for try in 1 2 3 4 5; do rm -rf -- "$1" && trap - EXIT && exit; sleep 0.2; done'
)


class Workspace:
    """A folder in the system's temporary folder, with a guardian process that removes it after our death.

    Where that one does not suit (`why_not_there`), it is in /tmp. `root`: what a PID 1 that plays here sees is not this
    machine's system, but the one in that folder.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root
        base = Path("/tmp" if why_not_there() else tempfile.gettempdir())
        self.folder = base / f"forklab-{secrets.token_hex(8)}"
        self._numbers = itertools.count(1)
        # Before the folder: we may be killed at any moment.
        self._guardian = subprocess.Popen(
            ["/bin/sh", "-c", _GUARDIAN, "forklab-guardian", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # a Ctrl-C at the terminal is for us, not for it
            cwd="/",
        )
        # Others may pass through, to what they know the name of, but not look around: sandboxes run under other uids.
        self.folder.mkdir(mode=0o711)
        self.folder.chmod(0o711)

    def subfolder(self) -> Path:
        """A new empty folder in it."""
        folder = self.folder / str(next(self._numbers))
        folder.mkdir(mode=0o755)
        os.chmod(folder, 0o755)
        return folder

    def close(self) -> None:
        remove(self.folder)
        assert self._guardian.stdin is not None
        self._guardian.stdin.close()
        self._guardian.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def why_not_there() -> str:
    """Why scratch folders are not where TMPDIR says, and the mend; empty if they are."""
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) >= _LONGEST_BASE:
        fault = f"sockets have no names as long as those in it. Name a folder in less than {_LONGEST_BASE} bytes"
    elif not _others_pass(base):
        fault = "submissions run as other users, who may not pass through it. Name a folder that is open to all"
    else:
        return ""
    return f"scratch files are in /tmp, and not where TMPDIR says ({base}): {fault}"


def _others_pass(folder: Path) -> bool:
    """Whether the users that submissions run as reach what is in it. TMPDIR may be root's alone, see pam_tmpdir.

    Who is not root runs them as itself.
    """
    path = folder.resolve()
    return os.geteuid() != 0 or all(
        step.stat().st_mode & stat.S_IXOTH for step in (path, *path.parents)
    )


def remove(folder: Path) -> None:
    """Removes a folder, however deep and whatever rights its own folders have.

    shutil.rmtree would give up where it is deeper than Python's stack; rm(1) does not. Where the machine cannot start
    that now, it is done here as far as it goes: nothing that has been judged is lost because of what it leaves behind.
    """
    command = ["rm", "-rf", "--", str(folder)]
    try:
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
            # A folder of ours that we ourselves took the rights away from, as who is not root can be made to.
            subprocess.run(["chmod", "-R", "u+rwX", "--", str(folder)], stderr=subprocess.DEVNULL)
            subprocess.run(command, stderr=subprocess.DEVNULL)
    except OSError:
        with contextlib.suppress(RecursionError):
            shutil.rmtree(folder, ignore_errors=True)
