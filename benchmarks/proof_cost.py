"""What a proof costs: every scenario of the init lab, over all schedules, with each of its solutions.

The peer is one play of the same scenario in the same run, on the same stage: so many plays a proof is worth. All of it
is processor time, of everybody.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from pathlib import Path

from processor_time import Meter, meter

from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.trial.assess import assess, prove_all
from autograder.trial.proof import Proof, Standing

SECONDS = 60.0


def main() -> None:
    lab = load_lab("init")
    with tempfile.TemporaryDirectory() as scratch, meter() as spent:
        make_class(lab, Path(scratch))
        for language in ("c", "python"):
            print(f"{language}:")
            report(lab, Path(scratch) / f"solution_{language}" / lab.name, spent)


def report(lab: Lab, solution: Path, spent: Meter) -> None:
    proofs = prove_all(lab, solution, lab.scenarios, seconds=SECONDS, on_proof=lambda proof: None)
    plays = [scenario for scenario in lab.scenarios if not scenario.explored]
    before = spent()
    assess(lab, solution, mode="virtual", scenarios=plays)
    play = (spent() - before) / len(plays)
    found = Counter(str(proof.standing) for proof in proofs)
    print(f"{len(proofs)} scenarios: " + ", ".join(f"{n} {what}" for what, n in found.items()))
    known = [p for p in proofs if p.standing in (Standing.PROVED, Standing.IN_SMALL)]
    middle = statistics.median(proof.seconds for proof in known)
    rehearsals = statistics.median(proof.plays for proof in known)
    print(
        f"a proof: {middle:.2f} s and {rehearsals:.0f} plays in the median, {middle / play:.0f} times one play"
    )
    for proof in sorted(proofs, key=_seconds)[:-4:-1]:
        print(f"  {proof.scenario}: {proof.seconds:.1f} s, {proof.plays} plays, {proof.words}")


def _seconds(proof: Proof) -> float:
    return proof.seconds


if __name__ == "__main__":
    main()
