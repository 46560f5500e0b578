"""What a submission sees of this machine: the system's programs, its own folder and the stage."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from autograder.stage.tools import python_for_submissions

SUBMISSION = "/submission"  # where the submission's folder is seen inside, in mode pidns
STAGE = "/stage"  # where the actor and the judge's socket are
GIVEN = "/given"  # what a build starts from

_SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SYSTEM_FILES = (
    "/etc/alternatives",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
)
_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def bubblewrap(folder: Path, stage: Path, builds: bool, root: Path | None = None) -> list[str]:
    """The command that shows a submission in `folder`, and what is on the `stage`, and nothing else of ours.

    `root`: the system that is shown is not this machine's, but the one in that folder, with its whole /etc.
    """
    command = ["bwrap", "--unshare-all", "--as-pid-1", "--die-with-parent", "--new-session"]
    # The launcher opens namespaces and gives every capability up before a submission starts.
    for capability in ("CAP_SYS_ADMIN", "CAP_SETPCAP"):
        command += ["--cap-add", capability]
    for path in _SYSTEM_FOLDERS:
        source = f"{root or ''}{path}"
        if os.path.islink(source):
            command += ["--symlink", os.readlink(source), path]
        elif os.path.isdir(source):
            command += ["--ro-bind", source, path]
    if root is not None:
        command += ["--ro-bind", f"{root}/etc", "/etc", "--symlink", "tmp", "/run"]
        command += ["--uid", "0", "--gid", "0"]  # some give up if they are not called root
    else:
        for path in _SYSTEM_FILES:
            command += ["--ro-bind-try", path, path]
        for prefix in foreign_prefixes():
            command += ["--ro-bind", prefix, prefix]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    command += ["--ro-bind", str(folder), GIVEN if builds else SUBMISSION]
    command += ["--dir", SUBMISSION, "--ro-bind", str(stage), STAGE, "--chdir", SUBMISSION]
    # What bubblewrap has made for all this is memory without a limit: /dev/shm, and / itself.
    command += ["--remount-ro", "/dev", "--remount-ro", "/"]
    return command


def foreign_prefixes() -> list[str]:
    """Folders outside of the system's that a submission needs: an active conda environment, a Python of our own."""
    prefixes = {os.environ.get("CONDA_PREFIX", "")}
    if not python_for_submissions().startswith("/usr/"):
        prefixes.add(sys.base_prefix)
    return sorted(
        prefix for prefix in prefixes if os.path.isdir(prefix) and not prefix.startswith("/usr")
    )


def search_path() -> str:
    """PATH, inside."""
    conda = os.environ.get("CONDA_PREFIX")
    return f"{conda}/bin:{_SYSTEM_PATH}" if conda else _SYSTEM_PATH
