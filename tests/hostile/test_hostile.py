"""No submission reaches what is outside, none takes for ever, and none changes the next student's result.

Each file in submissions/ is one of them; its first line says what it tries. Those that can show that they were refused
go on as a correct init, and pass: an attack that works ends with status 99, which no scenario expects.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab
from autograder.language.roles import PIDNS, SUBREAPER
from autograder.stage.isolation import lacks
from autograder.stage.users import private_uids
from autograder.trial.assess import assess
from autograder.trial.verdict import Status, Verdict

HERE = Path(__file__).parent
LAB = load_lab("init")
ORPHAN, EXIT, TERMINAL = (
    next(s for s in LAB.scenarios if s.name == name)
    for name in ("02_orphan", "20_exit_42", "52_uses_the_terminal")
)
SOLUTION = LAB.folder / "solution" / "c"
SECRET = "forklab-secret-of-the-grader"

PASSED, FAILED = Status.PASSED, Status.FAILED
# What is to be expected of each, in mode pidns and in mode subreaper, and words that tell the student why. None: chance
# decides, and neither is a fault.
EXPECTED: dict[str, tuple[Status | None, Status | None, str]] = {
    "abstract_socket.py": (PASSED, PASSED, ""),
    "attacks_from_make.mk": (PASSED, PASSED, ""),
    "becomes_root.c": (PASSED, PASSED, ""),
    "bombs_from_make.mk": (FAILED, FAILED, "512 processes"),
    "bursts_from_make.mk": (FAILED, FAILED, ""),
    "closes_everything.c": (PASSED, PASSED, ""),
    "comet.c": (FAILED, FAILED, ""),
    "comet_beside.c": (None, None, ""),
    "compiler_bomb.c": (FAILED, FAILED, "could not be built"),
    "daemon_escape.c": (PASSED, PASSED, ""),
    "deep_folders.mk": (None, None, ""),
    "deletes_all.py": (PASSED, PASSED, ""),
    "deletes_itself.c": (PASSED, PASSED, ""),
    "early_actor.c": (PASSED, PASSED, ""),
    "endless_output.py": (FAILED, FAILED, "before it had started its command"),
    "fake_results.py": (FAILED, FAILED, "before it had started its command"),
    "fills_the_disk.py": (PASSED, FAILED, "MB of files"),
    "fills_the_disk_from_make.mk": (FAILED, FAILED, ""),
    "fills_the_inodes.py": (PASSED, FAILED, ""),
    "fills_the_inodes_from_make.mk": (FAILED, FAILED, ""),
    "forged_hello.c": (FAILED, FAILED, "never started its command"),
    "fork_bomb.c": (FAILED, FAILED, "512 processes"),
    "good_only_when_watched.c": (FAILED, FAILED, "exited with 3"),
    "hangs.py": (FAILED, FAILED, "never started its command"),
    "holds_the_terminal.py": (FAILED, FAILED, ""),
    "huge_argv.c": (PASSED, PASSED, ""),
    "ignores_everything.c": (FAILED, FAILED, "never started its command"),
    "includes_the_solution.c": (FAILED, FAILED, "could not be built"),
    "includes_without_end.c": (FAILED, FAILED, ""),
    "kills_everybody.c": (PASSED, PASSED, ""),
    "kills_from_make.mk": (FAILED, FAILED, ""),
    "kills_its_parent.c": (PASSED, PASSED, ""),
    "leaves_a_daemon.mk": (PASSED, PASSED, ""),
    "leaves_a_message.py": (PASSED, PASSED, ""),
    "links_out.mk": (FAILED, FAILED, ""),
    "locked_folders.mk": (PASSED, PASSED, ""),
    "memory_in_eight.c": (FAILED, FAILED, "512 MB of memory"),
    "memory_without_owner.c": (PASSED, PASSED, ""),
    "network.py": (PASSED, PASSED, ""),
    "opens_namespaces.c": (PASSED, PASSED, ""),
    "overwrites_all.py": (PASSED, PASSED, ""),
    "preloads.mk": (PASSED, PASSED, ""),
    "raises_limits.c": (PASSED, PASSED, ""),
    "reads_environments.py": (PASSED, PASSED, ""),
    "reads_solutions.py": (PASSED, PASSED, ""),
    "renames_itself.c": (PASSED, PASSED, ""),
    "rewrites_an_actor.c": (PASSED, PASSED, ""),
    "shared_connection.c": (FAILED, FAILED, "never started its command"),
    "shared_memory.c": (FAILED, FAILED, "512 MB of memory"),
    "signals_from_a_shell.sh": (FAILED, FAILED, "before it had started its command"),
    "silent_connections.c": (FAILED, FAILED, ""),
    "special_files.mk": (PASSED, PASSED, ""),
    "stops_itself.c": (FAILED, FAILED, "start"),
    "stops_the_actors.c": (FAILED, FAILED, ""),
    "threads.c": (FAILED, FAILED, "512 processes"),
    "traces_an_actor.c": (PASSED, PASSED, ""),
    "traces_the_grader.c": (PASSED, PASSED, ""),
}
NEED_LANDLOCK = {  # in mode subreaper
    "abstract_socket.py",
    "attacks_from_make.mk",
    "good_only_when_watched.c",
    "includes_the_solution.c",
    "links_out.mk",
    "overwrites_all.py",
    "reads_solutions.py",
}


@dataclass
class Canaries:
    """What a submission must not reach: a process, a file, servers, our environment, what is left on the machine."""

    process: subprocess.Popen[bytes]
    file: Path
    server: socket.socket
    abstract: socket.socket
    scratch: Path

    def complaints(self) -> list[str]:
        found = []
        if self.process.poll() is not None:
            found.append("the canary process is dead")
        if self.file.read_text() != SECRET or list(self.file.parent.iterdir()) != [self.file]:
            found.append("the canary file was changed")
        for server in (self.server, self.abstract):
            try:
                server.accept()[0].close()
                found.append("a server was reached")
            except BlockingIOError:
                pass
        found += [f"{path} was left" for path in self.scratch.iterdir()]
        found += [f"process {words} was left" for words in processes_that_name(self.scratch)]
        return found


def processes_that_name(folder: Path) -> list[str]:
    """Of the sandboxes in that folder; and, where we are root, whoever runs under a user of a submission's of ours."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            user = entry.stat().st_uid
        except OSError:
            continue
        if (os.fsencode(folder) in words and b"pytest" not in words) or user in private_uids():
            found.append(f"{entry.name} of user {user}")
    return found


@pytest.fixture
def canaries(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Canaries]:
    folder = Path(tempfile.mkdtemp(prefix="canary-", dir="/var/tmp"))
    file = folder / "canary"
    file.write_text(SECRET)
    # Whoever comes as far as here could read it and write to it.
    file.chmod(0o666)
    folder.chmod(0o777)
    scratch = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    scratch.chmod(0o711)
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("FORKLAB_SECRET", SECRET)
    process = subprocess.Popen(["sleep", "3600"])
    with (
        socket.socket() as server,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        server.bind(("127.0.0.1", 0))
        abstract.bind(f"\0forklab-canary-{os.getpid()}")
        for listener in (server, abstract):
            listener.listen()
            listener.setblocking(False)
        yield Canaries(process, file, server, abstract, scratch)
    process.kill()
    process.wait()
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(["rm", "-rf", "--", scratch], check=False)


def hand_in(name: str, folder: Path, canaries: Canaries) -> Path:
    """Makes a folder of the submission, with what all of them share and the targets that this test has for them."""
    source = HERE / "submissions" / name
    kind = source.suffix
    target = {".c": "init.c", ".py": "init.py", ".mk": "Makefile", ".sh": "init"}[kind]
    shutil.copy(source, folder / target)
    (folder / target).chmod(0o755)
    facts: dict[str, str | int] = {
        "CANARY": canaries.process.pid,
        "CANARY_FILE": str(canaries.file),
        "CANARY_FOLDER": str(canaries.file.parent),
        "GRADER": os.getpid(),
        "GRADER_NAME": Path("/proc/self/comm").read_text(),
        "SOLUTION": str(SOLUTION / "init.c"),
        "SCENARIO": str(LAB.folder / "scenarios" / "02_orphan.toml"),
        "SECRET": SECRET,
        "PORT": canaries.server.getsockname()[1],
        "ABSTRACT": f"forklab-canary-{os.getpid()}",
    }
    if kind == ".py":
        shutil.copy(HERE / "behave.py", folder)
        lines = [f"{name} = {value!r}" for name, value in facts.items()]
        (folder / "target.py").write_text("\n".join(lines))
    if kind in (".c", ".mk"):
        shutil.copy(HERE / "behave.h", folder)
        lines = [f"#define {name} {_in_c(value)}" for name, value in facts.items()]
        (folder / "target.h").write_text("\n".join(lines) + "\n")
    if kind == ".mk":
        shutil.copy(HERE / "good.txt", folder)
        lines = [f"{name} = {str(value).strip()}" for name, value in facts.items()]
        (folder / "target.mk").write_text("\n".join(lines) + "\n")
    return folder


def _in_c(value: str | int) -> str:
    return str(value) if isinstance(value, int) else '"' + value.replace("\n", "\\n") + '"'


def verdicts(submission: Path, mode: str, *, terminal: bool = False) -> tuple[Verdict, ...]:
    scenarios = [ORPHAN, EXIT, *([TERMINAL] if terminal else [])]
    return assess(LAB, submission, mode=mode, scenarios=scenarios).verdicts


def test_every_submission_is_told_what_to_expect() -> None:
    assert sorted(EXPECTED) == sorted(path.name for path in (HERE / "submissions").iterdir())
    assert len(EXPECTED) >= 30


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_it_is_contained(
    name: str, mode: str, tmp_path: Path, canaries: Canaries, monkeypatch: pytest.MonkeyPatch
) -> None:
    if (
        mode == SUBREAPER
        and name in NEED_LANDLOCK
        and any(lack.startswith("files are not hidden") for lack in lacks(mode))
    ):
        pytest.skip("this kernel has no Landlock")
    # Not with a bomb: whoever counts 640 processes that all want to run gets little time to do so.
    if "bomb" not in name:
        monkeypatch.setattr("autograder.trial.assess._BUILD_SECONDS", 10.0)
    submission = hand_in(name, tmp_path, canaries)
    found = verdicts(submission, mode, terminal="terminal" in name)
    assert canaries.complaints() == []
    assert SECRET not in "".join(verdict.message for verdict in found)
    in_pidns, in_subreaper, words = EXPECTED[name]
    expected = in_pidns if mode == PIDNS else in_subreaper
    statuses = {verdict.status for verdict in found}
    assert statuses <= {PASSED, FAILED}, [verdict.message for verdict in found]
    if expected is not None:
        assert (FAILED in statuses) is (expected is FAILED), [verdict.message for verdict in found]
    if expected is FAILED:
        assert any(words in verdict.message for verdict in found), [v.message for v in found]
    assert {verdict.status for verdict in verdicts(SOLUTION, mode)} == {PASSED}
