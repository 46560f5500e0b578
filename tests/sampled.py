"""Cases of which `make test` takes a sample, and `make slow` all."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from _pytest.mark.structures import ParameterSet


def every_other(cases: Iterable[str]) -> list[ParameterSet]:
    """The first, the third and so on; the others are slow."""
    return _one_in(2, cases)


def every_third(cases: Iterable[str]) -> list[ParameterSet]:
    """The first, the fourth and so on."""
    return _one_in(3, cases)


def _one_in(many: int, cases: Iterable[str]) -> list[ParameterSet]:
    return [
        pytest.param(case, marks=[pytest.mark.slow] if place % many else [])
        for place, case in enumerate(cases)
    ]
