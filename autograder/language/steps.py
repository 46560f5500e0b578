"""A step of a script: a beginning, a deed or an expectation. And all sentences, in the order of trying them."""

from __future__ import annotations

from typing import TypeAlias, get_args

from autograder.language.beginnings import Beginning
from autograder.language.deeds import Deed
from autograder.language.expectations import Expectation

Step: TypeAlias = Beginning | Deed | Expectation

SENTENCES: tuple[type[Step], ...] = get_args(Step)
