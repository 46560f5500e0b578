"""What a lab's own solution is, so that what follows from it holds as long as it stays the same."""

from __future__ import annotations

import hashlib

from autograder.labs.lab import Lab


def digests_of_solution(lab: Lab) -> tuple[str, ...]:
    """Of all of its files, in the order of their names: equal for equal solutions, wherever the lab is."""
    files = sorted((lab.folder / "solution").rglob("*"))
    return tuple(
        hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
        if file.is_file() and file.suffix != ".pyc"
    )
