"""Runs a command of the submission's, its build, where it can do no harm, and takes what it made."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tarfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from autograder.stage.endurance import Endurance
from autograder.stage.errors import EXCESSES, SHORTAGES, ExcessError, StageError
from autograder.stage.sandbox import Sandbox
from autograder.stage.watch import Watched, ready
from autograder.stage.workspace import Workspace, remove
from forklab.kernel.statuses import in_shell

_MOST_OUTPUT = 1 << 16  # bytes
_MOST_MADE = 256 << 20  # bytes of all files that a build leaves
_MOST_FILES = 16384
# Then it is the machine that cannot do it: how much there is to pack has limits.
_PACK_SECONDS = 300.0

# The submission is copied into the folder to build in, and then the command takes the shell's place.
_COPY_FIRST = 'cp -R -p -- "$0/." . && exec "$@"'


@dataclass(frozen=True)
class Completed:
    """How a command ended: its exit status and all that it wrote; None if it was stopped for what it `overran`."""

    status: int | None
    output: str
    overran: str = ""


def run_contained(
    mode: str, workspace: Workspace, folder: Path, command: Sequence[str], endurance: Endurance
) -> Completed:
    """Runs `command` in a sandbox of its own, on a copy of `folder`; what it leaves there replaces `folder`.

    Its exit status is 128+n for a signal, and None if its `endurance` was over and it was killed. Nothing that it
    started is left, and of its files only regular ones, folders, and links that stay inside. Raises ExcessError if it
    took too much, StageError if there is no sandbox, or if this machine is at fault.
    """
    with Sandbox(mode, folder, workspace.subfolder(), builds=True) as sandbox:
        output = os.memfd_create("output")
        nothing = os.open(os.devnull, os.O_RDONLY)
        try:
            whole = ["/bin/sh", "-c", _COPY_FIRST, str(sandbox.given), *command]
            pid, _ = sandbox.open_play(whole, (nothing, output, output))
            with contextlib.closing(Watched(pid)) as process:
                overran = endurance.overrun_of(process)
            status, excess = _end(sandbox)
            text = os.pread(output, _MOST_OUTPUT, 0).decode(errors="replace")
            if excess is not None:
                raise ExcessError(excess)
            if status == 0:
                _take_out(sandbox, folder, nothing)
        finally:
            os.close(output)
            os.close(nothing)
    return Completed(None if status is None else in_shell(status), text, overran)


def _end(sandbox: Sandbox) -> tuple[int | None, str | None]:
    """Ends what runs there: with which status it had ended, None: it had not; of what it took too much, if it did."""
    status, excess = sandbox.status(), sandbox.excess()
    sandbox.end_play()
    return status, excess


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
            pid, _ = sandbox.open_play(packing, (nothing, writing, nothing))
        finally:
            os.close(writing)
        remove(folder)
        folder.mkdir()
        folder.chmod(0o755)
        with contextlib.closing(Watched(pid)) as packer:
            late = threading.Timer(_PACK_SECONDS, packer.send, (signal.SIGKILL,))
            late.start()
            try:
                _unpack(archive, folder)
                packed = ready(packer.pidfd, seconds=_PACK_SECONDS)
            except tarfile.TarError:
                packed = False
            except OSError as error:
                if error.errno in SHORTAGES:
                    raise StageError(f"what was built cannot be kept: {error.strerror}") from error
                raise ExcessError(EXCESSES["files"]) from error
            finally:
                late.cancel()
    status, excess = _end(sandbox)
    if excess is not None:
        raise ExcessError(excess)
    if not packed or status is None or status < 0:
        raise StageError("what was built cannot be packed on this machine: tar was stopped")


def _unpack(archive: BinaryIO, folder: Path) -> None:
    """Regular files, folders, and links that stay inside. Raises ExcessError if it is too much."""
    size = count = 0
    links: list[tuple[Path, str]] = []
    with tarfile.open(fileobj=archive, mode="r|") as members:
        for member in members:
            parts = PurePosixPath(member.name).parts
            size, count = size + member.size, count + 1
            if size > _MOST_MADE:
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
    # Until its last block is written, or it would be killed for that.
    while archive.read(_MOST_OUTPUT):
        pass
    # Last: no file is ever written through one of them.
    for target, destination in links:
        target.symlink_to(destination)


def _stays_inside(link: PurePosixPath, destination: str) -> bool:
    """Whether a link leads to somewhere in the folder that it is in, or deeper: no `..`, nothing absolute."""
    return not destination.startswith("/") and ".." not in PurePosixPath(destination).parts
