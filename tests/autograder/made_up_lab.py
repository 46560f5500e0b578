"""A small lab that is there without any file, and an assessor that starts no process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from made_up_class import ASKED, PLAIN, assessment

from autograder.labs.lab import Lab
from autograder.labs.scenario import Scenario
from autograder.language.script import parse
from autograder.trial.verdict import Assessment, Verdict

LAB = Lab(
    "init",
    "Write an init",
    Path("labs/init"),
    tuple(
        Scenario(
            asked.name,
            asked.title,
            asked.points,
            asked.why,
            ("pidns", "subreaper"),
            PLAIN,
            tuple(parse(PLAIN)),
            Path(f"{asked.name}.toml"),
        )
        for asked in ASKED
    ),
)

# What the grader calls for each submission, as autograder.trial.assess.assess.
Assessor = Callable[..., Assessment]


def by_name(
    lab: Lab,
    submission: Path,
    *,
    mode: str | None = None,
    on_verdict: Callable[[Verdict], None] = lambda verdict: None,
) -> Assessment:
    """Good students pass; "bad" fails an orphan. Only what the lab asks is answered."""
    name = submission.parent.name if submission.name == lab.name else submission.name
    whole = assessment(fails=["03"] if name.startswith("bad") else [], mode=mode or "pidns")
    asked = {scenario.name for scenario in lab.scenarios}
    verdicts = tuple(verdict for verdict in whole.verdicts if verdict.scenario in asked)
    for verdict in verdicts:
        on_verdict(verdict)
    return replace(whole, verdicts=verdicts)


def hand_in(root: Path, students: Sequence[str], lab: str = "init") -> Path:
    for student in students:
        folder = root / student / lab
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "init.c").write_text(f"int main(void) {{ return 0; }} // {student}\n")
    return root
