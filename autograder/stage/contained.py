"""Runs a command of the submission's, its build, where it can do no harm, and takes what it made."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from autograder.stage.errors import EXCESSES, ExcessError, StageError
from autograder.stage.sandbox import Sandbox
from autograder.stage.watch import ready
from autograder.stage.workspace import Workspace, remove
from forklab.kernel.statuses import in_shell

_MOST_OUTPUT = 1 << 16  # bytes
_MOST_MADE = 256 << 20  # bytes of all files that a build leaves
_MOST_FILES = 16384
_PACK_SECONDS = 30.0

# The submission is copied into the folder to build in, and then the command takes the shell's place.
_COPY_FIRST = 'cp -R -p -- "$0/." . && exec "$@"'


@dataclass(frozen=True)
class Completed:
    """How a command ended: its exit status, or None if it ran out of time; and all that it wrote."""

    status: int | None
    output: str


def run_contained(
    mode: str, workspace: Workspace, folder: Path, command: Sequence[str], seconds: float
) -> Completed:
    """Runs `command` in a sandbox of its own, on a copy of `folder`; what it leaves there replaces `folder`.

    Its exit status is 128+n for a signal, and None if it was not done within `seconds` and was killed. Nothing that it
    started is left, and of its files only regular ones, folders, and links that stay inside. Raises ExcessError if it
    took too much, StageError if there is no sandbox.
    """
    with Sandbox(mode, folder, workspace.subfolder(), builds=True) as sandbox:
        output = os.memfd_create("output")
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            whole = ["/bin/sh", "-c", _COPY_FIRST, str(sandbox.given), *command]
            pid, _ = sandbox.open_play(whole, (nothing, output, output))
            pidfd = os.pidfd_open(pid)
            try:
                ready(pidfd, seconds=seconds)
            finally:
                os.close(pidfd)
            status = sandbox.status()
            excess = sandbox.excess()
            sandbox.end_play()
            text = os.pread(output, _MOST_OUTPUT, 0).decode(errors="replace")
            if excess is not None:
                raise ExcessError(excess)
            if status == 0:
                _take_out(sandbox, folder, nothing)
        finally:
            os.close(output)
            os.close(nothing)
    return Completed(None if status is None else in_shell(status), text)


def _take_out(sandbox: Sandbox, folder: Path, nothing: int) -> None:
    """Puts what was built in place of what is in `folder`.

    A tar(1) that the build cannot have touched reads it, inside, through a pipe: whatever names and rights the files
    have, nothing of ours ever walks through a folder that a submission has made.
    """
    tar = shutil.which("tar", path="/usr/bin:/bin") or shutil.which("tar")
    if tar is None:
        raise StageError(
            "tar is not installed on this machine: install it (Debian: apt install tar)"
        )
    reading, writing = os.pipe()
    with open(reading, "rb") as archive:
        try:
            packing = [tar, "--create", "--hard-dereference", "--ignore-failed-read", "."]
            sandbox.open_play(packing, (nothing, writing, nothing))
        finally:
            os.close(writing)
        remove(folder)
        folder.mkdir()
        folder.chmod(0o755)
        try:
            _unpack(archive, folder)
        except (tarfile.TarError, OSError) as error:
            raise ExcessError(EXCESSES["files"]) from error
    sandbox.end_play()


def _unpack(archive: BinaryIO, folder: Path) -> None:
    """Regular files, folders, and links that stay inside. Raises ExcessError if it is too much or takes too long."""
    deadline = time.monotonic() + _PACK_SECONDS
    size = count = 0
    links: list[tuple[Path, str]] = []
    with tarfile.open(fileobj=archive, mode="r|") as members:
        for member in members:
            parts = PurePosixPath(member.name).parts
            size, count = size + member.size, count + 1
            if size > _MOST_MADE or time.monotonic() > deadline:
                raise ExcessError(EXCESSES["disk"])
            if count > _MOST_FILES:
                raise ExcessError(EXCESSES["files"])
            if ".." in parts or member.name.startswith("/"):
                continue
            target = folder.joinpath(*parts)
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.isreg():
                target.parent.mkdir(parents=True, exist_ok=True)
                content = members.extractfile(member)
                assert content is not None
                with target.open("xb") as file:
                    shutil.copyfileobj(content, file)
                target.chmod(0o755 if member.mode & 0o100 else 0o644)
                os.utime(target, (member.mtime, member.mtime))
            elif member.issym() and _stays_inside(PurePosixPath(*parts), member.linkname):
                links.append((target, member.linkname))
    # Last: no file is ever written through one of them.
    for target, destination in links:
        target.symlink_to(destination)


def _stays_inside(link: PurePosixPath, destination: str) -> bool:
    """Whether a link leads to somewhere in the folder that it is in, or deeper: no `..`, nothing absolute."""
    return not destination.startswith("/") and ".." not in PurePosixPath(destination).parts
