"""A random generator of Python's that nobody has used is known by what it was seeded with."""

from __future__ import annotations

import random
import struct

from forklab.lens.calls import twisting


def test_a_fresh_generator_is_as_python_makes_it() -> None:
    seed = random.Random(3).randbytes(twisting.SEED)
    _, words, _ = random.Random(int.from_bytes(seed, "little")).getstate()
    assert twisting.fresh(seed) == struct.pack("<i624I", words[-1], *words[:-1])
