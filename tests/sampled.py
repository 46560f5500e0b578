"""Cases of which `make test` takes a sample, and `make slow` all."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def every_other(cases: Iterable[str]) -> list[ParameterSet]:
    """The first, the third and so on; the others are slow."""
    return [
        pytest.param(case, marks=[pytest.mark.slow] if place % 2 else [])
        for place, case in enumerate(cases)
    ]
