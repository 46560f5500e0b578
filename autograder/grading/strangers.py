"""Where strangers' work is not to be graded: it would reach what belongs to others."""

from __future__ import annotations

from collections.abc import Sequence

from autograder.errors import CommandError


def refuse_strangers(where: str, dangers: Sequence[str]) -> None:
    """Raises CommandError if there are dangers at that place, a sentence each."""
    if dangers:
        reasons = "\n".join(f"  - {danger}" for danger in dangers)
        raise CommandError(
            f"a class is not graded where submissions reach what is not theirs. On {where}\n{reasons}\n"
            "  `autograder doctor` tells the mend of each. If you trust everybody who has handed something in,\n"
            "  say so: --trusting. Your own work can be checked as it is: autograder check."
        )
