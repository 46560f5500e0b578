"""What a lab's own solution is, so that what follows from it holds as long as it stays the same."""

from __future__ import annotations

import hashlib

from autograder.labs.lab import Lab


def digests_of_solution(lab: Lab) -> tuple[str, ...]:
    """Of all of its files, with their names: equal for equal solutions, wherever the lab is."""
    solution = lab.folder / "solution"
    files = [path for path in sorted(solution.rglob("*")) if path.is_file()]
    return tuple(
        f"{file.relative_to(solution)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in files
        if file.suffix != ".pyc"
    )
