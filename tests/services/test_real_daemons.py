"""Three daemons that nobody wrote for us, by the unit files of their packages (daemons.py tells their life)."""

from __future__ import annotations

import tempfile

import alone
import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def daemons() -> None:
    alone.need_daemons()


def test_daemons_live_by_their_own_unit_files() -> None:
    alone.need_root()
    played = alone.play("daemons.py", "as_shipped")
    assert played.returncode == 0, played.stdout + played.stderr


def test_daemons_live_on_a_laptop_and_whom_one_cannot_become_is_named() -> None:
    with tempfile.TemporaryDirectory(prefix="laptop-") as name:
        played = alone.play("daemons.py", "on_a_laptop", name, before=alone.nobody())
    assert played.returncode == 0, played.stdout + played.stderr
