"""What a proof costs: every scenario of the init lab, over all schedules, with each of its solutions.

The peer is one play of the same scenario in the same run, on the same stage: so many plays a proof is worth.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path

from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.trial.assess import assess, prove_all
from autograder.trial.proof import Proof, Standing

SECONDS = 60.0


def main() -> None:
    lab = load_lab("init")
    with tempfile.TemporaryDirectory() as scratch:
        make_class(lab, Path(scratch))
        for language in ("c", "python"):
            print(f"{language}:")
            report(lab, Path(scratch) / f"solution_{language}" / lab.name)


def report(lab: Lab, solution: Path) -> None:
    proofs = prove_all(lab, solution, lab.scenarios, seconds=SECONDS, on_proof=lambda proof: None)
    started = time.monotonic()
    assess(lab, solution, mode="virtual")
    play = (time.monotonic() - started) / len(lab.scenarios)
    found = Counter(str(proof.standing) for proof in proofs)
    print(f"{len(proofs)} scenarios: " + ", ".join(f"{n} {what}" for what, n in found.items()))
    known = [p for p in proofs if p.standing in (Standing.PROVED, Standing.IN_SMALL)]
    middle = statistics.median(proof.seconds for proof in known)
    plays = statistics.median(proof.plays for proof in known)
    print(
        f"a proof: {middle:.2f} s and {plays:.0f} plays in the median, {middle / play:.0f} times one play"
    )
    for proof in sorted(proofs, key=_seconds)[:-4:-1]:
        print(f"  {proof.scenario}: {proof.seconds:.1f} s, {proof.plays} plays, {proof.words}")


def _seconds(proof: Proof) -> float:
    return proof.seconds


if __name__ == "__main__":
    main()
