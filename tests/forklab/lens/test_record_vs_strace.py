"""The lens against strace: no fork, exit or reaping that strace shows of a real program is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from forklab.lens.record import record

pytestmark = pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace")

SUBPROCESSES = """
import subprocess
subprocess.run(["true"]); subprocess.run("exit 3", shell=True)
with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as cat: cat.communicate(b"hello")
"""
PROGRAMS = {
    "a pipeline": ["sh", "-c", "seq 100 | sort -r | head -3; (exit 4); false || true"],
    "bash jobs": ["bash", "-c", "for i in 1 2 3; do (exit $i) & done; wait; kill -9 $$"],
    "make": ["make", "-j2", "-f", "{folder}/Makefile"],
    "Python's subprocess": [sys.executable, "-c", SUBPROCESSES],
    "dumb-init": ["dumb-init", "sh", "-c", "true; (exit 2); exit 5"],
    "tini": ["tini", "-s", "--", "sh", "-c", "true; (exit 2); exit 5"],
}
MAKEFILE = "all: a b c\na b c:\n\t@true; sh -c 'exit 0'\n"

_BORN = re.compile(r"(?:clone3?|v?fork)\(.*\) = \d+|<\.\.\. (?:clone3?|v?fork) resumed>.* = \d+")
_ENDED = re.compile(r"\+\+\+ exited with (\d+) \+\+\+|\+\+\+ killed by (\w+)")
_REAPED = re.compile(r"(?:wait4\(|waitid\(|<\.\.\. wait4 resumed>|<\.\.\. waitid resumed>)(.*)")


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_lens_misses_nothing_that_strace_shows(name: str, tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(MAKEFILE)
    argv = [word.format(folder=tmp_path) if "{folder}" in word else word for word in PROGRAMS[name]]
    if shutil.which(argv[0]) is None:
        pytest.skip(f"needs {argv[0]}")
    log = tmp_path / "log"
    flags = ["-f", "-q", "-e", "trace=process", "-o", str(log)]
    subprocess.run(["strace", *flags, *argv], capture_output=True, timeout=60, check=False)
    lines = log.read_text().splitlines()
    seen = record(argv)
    assert seen.ended_early is None

    kinds = Counter(event.kind for event in seen.history.events)
    assert kinds["fork"] == sum(bool(_BORN.search(line)) for line in lines)
    endings = [match for line in lines if (match := _ENDED.search(line))]
    assert Counter(e.status for e in seen.history.events if e.kind == "exit") == Counter(
        int(match[1]) for match in endings if match[1]
    )
    assert Counter(e.signal for e in seen.history.events if e.kind == "killed") == Counter(
        match[2] for match in endings if match[2]
    )
    inside = [e for e in seen.history.events if e.kind == "reaped" and e.by != "init"]
    assert len(inside) == sum(_tells_an_end(line) for line in lines)


def _tells_an_end(line: str) -> bool:
    """Whether it is a wait that has returned with a child that has ended."""
    match = _REAPED.search(line)
    return bool(match) and ("WIFEXITED" in line or "WIFSIGNALED" in line or "si_code=CLD_" in line)
