"""One quiz for many tests: all four kinds, made once."""

from __future__ import annotations

import pytest
from many_seeds import many_seeds

from forklab.quiz.make import Order, make
from forklab.quiz.program import Language
from forklab.quiz.question import Quiz


@pytest.fixture(scope="session")
def quiz() -> Quiz:
    return make(Order(seed=12, level=3, count=4, language=Language.C), many_seeds)
