"""The zip for Gradescope works where Gradescope unpacks it, and tells students no more than it should."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.labs.lab import load_lab

ROOT = Path(__file__).parent.parent

# A root as fresh as a container's: the system's own files below, nothing of ours, and nobody's home.
CONTAINER = """
set -e
mount -t tmpfs tmpfs "$1/layer"
mkdir "$1/layer/upper" "$1/layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/layer/upper,workdir=$1/layer/work" "$1/root"
mkdir -p "$1/root/autograder"
mount --bind "$1/autograder" "$1/root/autograder"
mount -t tmpfs tmpfs "$1/root/root"
mount -t tmpfs tmpfs "$1/root/tmp"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root \\
    chroot "$1/root" sh -c "$2"
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("zip") / "init.zip"
    script = str(ROOT / "scripts" / "gradescope.py")
    subprocess.run([sys.executable, script, "init", str(target)], check=True, cwd=ROOT)
    return target


@pytest.fixture(scope="module")
def container(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    scratch = tmp_path_factory.mktemp("g")
    found = Container(scratch)
    if found.run("true").returncode != 0:
        pytest.skip("only root may make a root of its own, with an overlay")
    source = scratch / "autograder" / "source"
    with zipfile.ZipFile(archive) as unpacked:
        unpacked.extractall(source)
    for script in ("setup.sh", "run_autograder"):
        (source / script).chmod(0o755)
    done = found.run("cd /autograder/source && ./setup.sh")
    assert done.returncode == 0, done.stdout
    shutil.copy(source / "run_autograder", scratch / "autograder" / "run_autograder")
    yield found


def points_there() -> float:
    scenarios = load_lab("init").scenarios
    return sum(s.points for s in scenarios if "subreaper" in s.modes and not s.extra)


class Container:
    """Runs commands in the fresh root; all that a command started ends with it."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        for folder in ("layer", "root", "autograder/submission", "autograder/results"):
            (scratch / folder).mkdir(parents=True)

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        with subprocess.Popen(
            [
                *("unshare", "--mount", "--pid", "--fork", "--kill-child"),
                *("sh", "-c", CONTAINER, "container", str(self._scratch), command),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as running:
            try:
                said, _ = running.communicate(timeout=300)
            finally:
                if running.poll() is None:
                    os.killpg(running.pid, signal.SIGKILL)
        return subprocess.CompletedProcess(command, running.returncode, said)

    def grade(self, submission: Path) -> dict[str, object]:
        """As Gradescope does with each submission."""
        folder = self._scratch / "autograder"
        shutil.rmtree(folder / "submission")
        shutil.copytree(submission, folder / "submission")
        results = folder / "results" / "results.json"
        results.unlink(missing_ok=True)
        done = self.run("cd /autograder && ./run_autograder")
        assert results.exists(), done.stdout
        found: dict[str, object] = json.loads(results.read_text())
        return found


def test_a_solution_gets_all_points(container: Container) -> None:
    results = container.grade(ROOT / "labs" / "init" / "solution" / "c")
    tests = results["tests"]
    assert isinstance(tests, list)
    assert len(tests) == len(list((ROOT / "labs/init/scenarios").glob("*.toml")))
    assert {test.get("status") for test in tests if test["max_score"]} == {"passed"}
    assert results["score"] == sum(test["max_score"] for test in tests) > 50
    assert results["score"] == points_there(), "the total that the instructor was told to type"


def test_a_starter_gets_a_part_and_the_reason(container: Container) -> None:
    results = container.grade(ROOT / "labs" / "init" / "starter" / "c")
    tests = results["tests"]
    assert isinstance(tests, list)
    failed = [test for test in tests if test.get("status") == "failed"]
    assert failed
    assert all(len(test["output"]) > 40 for test in failed)
    assert 0 < results["score"] < sum(test["max_score"] for test in tests)  # type: ignore[operator]


def test_the_zip_has_no_solution_no_mutant_and_is_the_same_each_time(
    archive: Path, tmp_path: Path
) -> None:
    names = zipfile.ZipFile(archive).namelist()
    assert {"setup.sh", "run_autograder", "labs/init/lab.toml"} <= set(names)
    assert not [name for name in names if "solution/" in name or "mutants/" in name]
    again = tmp_path / "again.zip"
    script = str(ROOT / "scripts" / "gradescope.py")
    subprocess.run([sys.executable, script, "init", str(again)], check=True, cwd=ROOT)
    assert again.read_bytes() == archive.read_bytes()


LATE = """
[late]
due = 2026-11-30T23:59:00+01:00
policy = "{policy}"

[generated]
scenarios = 3
points = 2
"""


def zipped(lab: Path, target: Path) -> subprocess.CompletedProcess[str]:
    script = str(ROOT / "scripts" / "gradescope.py")
    command = [sys.executable, script, str(lab), str(target)]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT)


def lab_with_a_policy(folder: Path, policy: str) -> Path:
    shutil.copytree(ROOT / "labs" / "init" / "scenarios", folder / "scenarios")
    text = (ROOT / "labs" / "init" / "lab.toml").read_text()
    (folder / "lab.toml").write_text(text + LATE.format(policy=policy))
    (folder / "late.py").write_text("def harsh(student, score, seconds):\n    return score\n")
    return folder


def test_a_late_policy_comes_along_and_the_total_to_type_is_told(tmp_path: Path) -> None:
    done = zipped(lab_with_a_policy(tmp_path / "late", "late.py:harsh"), tmp_path / "late.zip")
    assert "labs/late/late.py" in zipfile.ZipFile(tmp_path / "late.zip").namelist()
    there = points_there()
    assert 0 < there < load_lab("init").max_points
    assert f"to be typed in the settings of the assignment there: {there + 6:g}\n" in done.stdout


@pytest.mark.parametrize("policy", ["math:ceil", "../late.py:harsh"])
def test_a_late_policy_that_cannot_come_along_is_refused(tmp_path: Path, policy: str) -> None:
    lab = lab_with_a_policy(tmp_path / "late", policy)
    shutil.copy(lab / "late.py", tmp_path)
    done = zipped(lab, tmp_path / "late.zip")
    assert done.returncode == 2
    assert "Put the function into a file in the lab's folder" in done.stderr
    assert not (tmp_path / "late.zip").exists()


def test_a_lab_that_is_not_there_is_told(tmp_path: Path) -> None:
    script = str(ROOT / "scripts" / "gradescope.py")
    done = subprocess.run(
        [sys.executable, script, "inti", str(tmp_path / "x.zip")],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert done.returncode == 2
    assert "Did you mean" in done.stderr
    assert "Traceback" not in done.stderr
