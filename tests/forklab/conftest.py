"""For all folders below: what needs a PID namespace of its own is skipped where there is none."""

from __future__ import annotations

import pytest
from real_kernel import why_not


@pytest.fixture(scope="session")
def pid_namespaces() -> None:
    if why := why_not():
        pytest.skip(why)
