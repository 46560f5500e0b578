"""A step of a script: a deed or an expectation. And all sentences of the language, in the order of trying them."""

from __future__ import annotations

from typing import TypeAlias, get_args

from autograder.language.deeds import Deed
from autograder.language.expectations import Expectation

Step: TypeAlias = Deed | Expectation

SENTENCES: tuple[type[Step], ...] = get_args(Step)
