"""The lab `supervisor`: what holds for it beside what holds for every lab (test_every_lab.py)."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from autograder.labs.lab import load_lab

LAB = load_lab(Path(__file__).resolve().parents[2] / "labs" / "supervisor")
STAGES = "abcdefg"


def test_each_stage_earns_the_points_that_the_handout_says() -> None:
    points: Counter[str] = Counter()
    for scenario in LAB.scenarios:
        stage = STAGES[int(scenario.name[0]) - 1]
        assert scenario.title.startswith(f"{stage}. ")
        points[stage] += int(scenario.points)
    lines = (LAB.folder / "README.md").read_text().splitlines()
    row = lines[lines.index(f"| {' | '.join(STAGES)} |") + 2]
    assert [int(word) for word in row.strip("| ").split(" | ")] == [points[one] for one in STAGES]
