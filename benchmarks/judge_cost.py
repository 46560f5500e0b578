"""What judging costs: CPU against a floor, failing against passing, memory of the judge.

The floor is the same number of processes, forked, executed and waited for by a bare C program (floor.c). All figures of
one line were measured in the same run; the median of several rounds is printed. What is proved in virtual time, over
every schedule, is no play: it is left out there, and measured by itself.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from processor_time import Meter, meter

from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import load_mutants
from autograder.labs.scenario import Scenario
from autograder.language.deeds import Forks
from autograder.language.roles import VIRTUAL, is_in_virtual_time
from autograder.stage.errors import StageError
from autograder.stage.isolation import choose, probe
from autograder.stage.tools import compiler
from autograder.trial.assess import assess

ROUNDS = 5


def main() -> None:
    lab = load_lab("init")
    with tempfile.TemporaryDirectory() as scratch, meter() as spent:
        floor = Path(scratch) / "floor"
        source = Path(__file__).with_name("floor.c")
        subprocess.run([compiler(), "-O2", "-static", str(source), "-o", str(floor)], check=True)
        students = Path(scratch) / "class"
        make_class(lab, students)

        for mode in modes():
            against_the_floor(lab, students / "solution_c" / lab.name, floor, mode, spent)
        print(f"mode {probe().mode}, {len(lab.scenarios)} scenarios, {ROUNDS} rounds")
        for language in ("c", "python"):
            failing_against_passing(lab, students, language, spent)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"the judge's own memory: {peak:.0f} MB at its peak")


def modes() -> list[str]:
    """The best one in real time, and virtual time where that is allowed."""
    try:
        return [probe().mode, choose(VIRTUAL).mode]
    except StageError:
        return [probe().mode]


def against_the_floor(lab: Lab, solution: Path, floor: Path, mode: str, spent: Meter) -> None:
    plays = [scenario for scenario in lab.scenarios if not scenario.explored]
    proofs = [scenario for scenario in lab.scenarios if scenario.explored]
    counts = [str(actors_of(scenario)) for scenario in plays]
    rounds = [
        (
            *cost(spent, lab, solution, plays, mode),
            cost(spent, lab, solution, (), mode)[0],
            cost(spent, lab, solution, proofs, mode)[0],
            floor_cpu(floor, counts),
        )
        for _ in range(ROUNDS)
    ]
    whole, wall, build, proof, bare = (
        statistics.median(column) for column in zip(*rounds, strict=True)
    )
    judging = whole - build
    print(
        f"mode {mode}, C solution, build and {len(plays)} scenarios: {wall:.2f} s on the wall; "
        f"{1000 * judging / len(plays):.1f} ms CPU a scenario"
    )
    print(f"CPU against the floor (same processes, bare C): {judging / bare:.1f} times")
    if is_in_virtual_time(mode):
        print(f"what is proved: {(proof - build) / judging:.2f} times all these plays")


def failing_against_passing(lab: Lab, students: Path, language: str, spent: Meter) -> None:
    passing = [
        cost(spent, lab, students / f"solution_{language}" / lab.name) for _ in range(ROUNDS)
    ]
    failing = {
        mutant.name: cost(spent, lab, students / f"mutant_{mutant.name}" / lab.name)
        for mutant in load_mutants(lab)
        if mutant.of.parent.name == language
    }
    for position, what in enumerate(("CPU", "time on the wall")):
        usual = statistics.median(costs[position] for costs in passing)
        ratios = sorted((costs[position] / usual, name) for name, costs in failing.items())
        print(
            f"failing against passing, {language}, {what}: median {ratios[len(ratios) // 2][0]:.2f}, "
            f"most {', '.join(f'{ratio:.2f} ({name})' for ratio, name in ratios[:-4:-1])}"
        )


def cost(
    spent: Meter,
    lab: Lab,
    submission: Path,
    scenarios: Sequence[Scenario] | None = None,
    mode: str | None = None,
) -> tuple[float, float]:
    """CPU seconds, those of all processes of the plays included, and seconds on the wall.

    Without any scenarios it is only built, and its stage is set up.
    """
    before, started = spent(), time.monotonic()
    assess(lab, submission, mode=mode, scenarios=scenarios)
    return spent() - before, time.monotonic() - started


def floor_cpu(floor: Path, counts: list[str]) -> float:
    return float(
        subprocess.run([floor, *counts], capture_output=True, text=True, check=True).stdout
    )


def actors_of(scenario: Scenario) -> int:
    """How many actors a script brings on, main included."""
    return 1 + sum(len(step.pairs()) for step in scenario.steps if isinstance(step, Forks))


if __name__ == "__main__":
    main()
