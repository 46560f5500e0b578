"""CPython's own tests of processes and signals: each that passes by itself passes under the lens.

They are run by the system's Python, for which Debian has them in a package. A test that ends the run has failed, and
the rest is run without it.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from forklab.lens.record import Limits, record

PYTHON = "/usr/bin/python3"
TELL_TESTS = Path(__file__).with_name("tell_tests.py")
LIMITS = Limits(processor_seconds=300, real_seconds=1200, processes=2000, virtual_seconds=1e6)

# Those that cannot pass, each with its reason.
CANNOT: dict[str, str] = {
    "test_os.UtimeTests.test_utime_current": "files have the time of the machine, not of the program's world",
    "test_os.UtimeTests.test_utime_current_old": "the same",
}


def packaged(module: str) -> bool:
    found = subprocess.run(
        [PYTHON, "-c", f"import test.{module}"], capture_output=True, check=False
    )
    return found.returncode == 0


def native(module: str, folder: Path) -> dict[str, str]:
    """How each test of a module ends: "passed", "skipped", "failed"."""
    report = folder / "native"
    subprocess.run(
        command(report, module),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=600,
        check=False,
    )
    return ends(report)


def traced(module: str, folder: Path) -> dict[str, str]:
    """The same, under the lens; and why it failed."""
    report = folder / "traced"
    before = os.getcwd()
    os.chdir(folder)
    try:
        while True:
            known = ends(report)
            seen = record(command(report, module, known), limits=LIMITS)
            lines = report.read_text().splitlines()
            if lines and lines[-1] == f"all test.{module}":
                return ends(report)
            last = lines[-1].split() if lines else []
            assert last[:1] == ["begins"] and last[1] not in known, seen.ended_early or seen.output
            with report.open("a") as file:
                print("failed", f"{last[1]}: {seen.ended_early or seen.status}", file=file)
    finally:
        os.chdir(before)


def command(report: Path, module: str, left_out: dict[str, str] | None = None) -> list[str]:
    options = [word for test in left_out or {} for word in ("-x", f"test.{test}")]
    return [PYTHON, str(TELL_TESTS), str(report), *options, f"test.{module}"]


def ends(report: Path) -> dict[str, str]:
    lines = report.read_text().splitlines() if report.exists() else []
    told = (line.split(" test.", 1) for line in lines)
    found = {}
    for word, rest in (
        pair for pair in told if len(pair) == 2 and pair[0] not in ("begins", "all")
    ):
        test, _, why = rest.partition(": ")
        found[test] = word + (f": {why}" if why else "")
    return found


def compare(module: str, folder: Path) -> None:
    by_itself = native(module, folder)
    passed = {test for test, end in by_itself.items() if end == "passed"}
    assert passed, f"none of the tests of {module} passes here by itself"
    here = traced(module, folder)
    lost = {test: here.get(test, "was not run") for test in passed if here.get(test) != "passed"}
    listed = {test for test in passed if test in CANNOT}
    print(f"{module}: {len(passed)} pass by themselves, {len(passed) - len(lost)} of them traced")
    assert {test: why for test, why in lost.items() if test not in listed} == {}
    assert listed <= set(lost), "these pass by now: take them off the list"


@pytest.mark.parametrize("module", ["test_popen", "test_fork1"])
def test_a_sample_passes_under_the_lens_as_well(module: str, tmp_path: Path) -> None:
    if not packaged(module):
        pytest.skip("CPython's tests are not installed here: make transparency does that")
    compare(module, tmp_path)


@pytest.mark.transparency
@pytest.mark.parametrize(
    "module",
    [
        "test_subprocess",
        "test_os",
        "test_signal",
        "test_wait3",
        "test_wait4",
        "test_posix",
        "test_threadsignals",
    ],
)
def test_what_passes_by_itself_passes_under_the_lens(module: str, tmp_path: Path) -> None:
    assert packaged(module), "CPython's tests are not installed here"
    compare(module, tmp_path)
