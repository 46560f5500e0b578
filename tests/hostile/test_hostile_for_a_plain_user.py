"""The same for a grader who is a plain user without namespaces: there, a submission has all the rights of the grader.

Run by root, these tests start pytest once more as such a user, in a PID namespace that ends with it. Whatever a
submission does to processes of its account, it does to those in there.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOBODY = 65534
SECONDS = 900
# The first of a PID namespace would be called as each submission is in its own, and what a submission does to the
# grader by its number it would do to itself.
FAR_FROM_ITS_INIT = 'echo 20000 > /proc/sys/kernel/ns_last_pid; "$@"; exit "$?"'
# Those that try what only a plain user has to fear; `make slow` lets all of them.
OF_AN_ACCOUNT = (
    "bombs_from_make.mk",
    "connects_to_others.py",
    "datagrams.py",
    "fork_bomb.c",
    "kills_everybody.c",
    "limits_everybody.py",
    "locks_files.c",
    "looks_into_others.c",
    "nobody_s_memory.c",
    "overwrites_all.py",
    "reads_environments.py",
    "signals_by_descriptor.c",
    "slows_others_down.c",
    "types_into_a_terminal.c",
    "uses_up_an_account.c",
)


@functools.cache
def python_for_everybody() -> list[str]:
    """A Python of our version that other users can execute, with all that our tests import; else skips."""
    ours = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = os.pathsep.join([str(ROOT), *(p for p in sys.path if "-packages" in p)])
    for python in (sys.executable, shutil.which(ours, path="/usr/bin:/usr/local/bin")):
        command = [*_as_nobody(), "env", f"PYTHONPATH={packages}", str(python)]
        probe = [*command, "-c", "import pytest, autograder.stage.sandbox"]
        if python and subprocess.run(probe, cwd=ROOT, capture_output=True).returncode == 0:
            return command
    pytest.skip("no Python here that another user can execute has what the tests need")


def _as_nobody() -> list[str]:
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def judged_by_a_plain_user(tests: list[str], home: Path) -> str:
    """What pytest says of these tests, run by a plain user. Fails if one of them does."""
    if shutil.which("unshare") is None or shutil.which("setpriv") is None:
        pytest.skip("unshare or setpriv is not installed")
    environment = {**os.environ, "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("XDG_CACHE_HOME", None)
    pytest_ = ["-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "--tb=short"]
    pytest_ += ["-m", "slow or not slow"]
    # All of it dies with its init, whatever a submission has come to.
    ends = ["timeout", "-s", "KILL", str(SECONDS)]
    inside = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    inside += ["sh", "-c", FAR_FROM_ITS_INIT, "sh"]
    done = subprocess.run(
        [*ends, *inside, *python_for_everybody(), *pytest_, f"--basetemp={home / 'tests'}", *tests],
        cwd=ROOT,
        env=environment,
        text=True,
        capture_output=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def home() -> Iterator[Path]:
    """Of that user, where it may go: tmp_path is not."""
    if os.geteuid() != 0:
        pytest.skip("whoever runs these tests is a plain user already")
    folder = Path(tempfile.mkdtemp(prefix="forklab-home-", dir="/tmp"))
    os.chown(folder, NOBODY, NOBODY)
    yield folder
    shutil.rmtree(folder)


def test_a_plain_user_s_account_is_out_of_reach(home: Path) -> None:
    tests = [
        f"{HERE / 'test_hostile.py'}::test_it_is_contained[subreaper-{name}]"
        for name in OF_AN_ACCOUNT
    ]
    assert f"{len(OF_AN_ACCOUNT)} passed" in judged_by_a_plain_user(tests, home)


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["pidns", "subreaper", "virtual"])
def test_so_is_what_any_submission_tries(mode: str, home: Path) -> None:
    judged_by_a_plain_user([str(HERE / "test_hostile.py"), "-k", f"[{mode}-"], home)
