"""nginx, redis and others under blows that chance chooses: kills.py tells which, and what has to be so after each.

FORKLAB_SECONDS=3600 FORKLAB_SEED=7 make slow FLAGS=tests/services/test_kills.py        for an hour
"""

from __future__ import annotations

import os

import alone
import pytest

SECONDS = float(os.environ.get("FORKLAB_SECONDS", "20"))
SEED = os.environ.get("FORKLAB_SEED", "1")


@pytest.mark.slow
def test_after_every_blow_all_is_as_it_should_be() -> None:
    alone.need_daemons()
    alone.need_root()
    played = alone.play("kills.py", str(SECONDS), SEED, patience=SECONDS + 300)
    print(played.stdout)
    assert played.returncode == 0, played.stdout + played.stderr
