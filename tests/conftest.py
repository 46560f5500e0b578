"""Fixtures for every folder of tests."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from IPython.core.interactiveshell import InteractiveShell

from autograder.language.roles import (
    PIDNS,
    SUBREAPER,
    VIRTUAL,
    is_in_virtual_time,
    isolation_of,
)
from autograder.stage.isolation import probe, refusal_of_virtual_time
from forklab.notebook import prepare

# How long an example takes says something of this machine only, and of what else it does.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

# Of few tests, and of minutes: whoever gets one of these last keeps all others waiting.
_LONG = (
    "test_recipe_for_a_lab.py",
    "test_in_jupyterlab.py",
    "test_second_opinion.py",
    "test_every_lab.py",
)

_BURN = "import os, time\nend = time.monotonic() + 3600\nwhile time.monotonic() < end and os.getppid() != 1: pass"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with much to do come first: those that are long, then by how many tests they have."""
    tests = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name not in _LONG, -tests[item.path], str(item.path)))


def pytest_configure() -> None:
    """A shell ignores SIGINT and SIGQUIT for what it starts in the background, nohup(1) SIGHUP; our children would
    inherit that.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def busy_machine() -> Iterator[None]:
    """Every processor has two other processes to run meanwhile."""
    burners = [
        subprocess.Popen([sys.executable, "-c", _BURN]) for _ in range(2 * (os.cpu_count() or 1))
    ]
    yield
    for burner in burners:
        burner.kill()
        burner.wait()


@pytest.fixture(params=[PIDNS, SUBREAPER])
def mode(request: pytest.FixtureRequest) -> str:
    """Each mode in which this machine can judge in real time."""
    return able(request.param)


@pytest.fixture(params=[PIDNS, SUBREAPER, VIRTUAL])
def any_mode(request: pytest.FixtureRequest) -> str:
    """Each mode in which this machine can judge."""
    return able(request.param)


def able(mode: str) -> str:
    """Skips what this machine cannot do."""
    if isolation_of(mode) == PIDNS and probe().mode != PIDNS:
        pytest.skip(probe().why)
    if is_in_virtual_time(mode) and (refusal := refusal_of_virtual_time(isolation_of(mode))):
        pytest.skip(refusal)
    return mode


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[InteractiveShell]:
    """What a notebook's kernel has, in this process, with our magic in it."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    shell = InteractiveShell.instance()
    prepare(shell)
    yield shell
    InteractiveShell.clear_instance()
