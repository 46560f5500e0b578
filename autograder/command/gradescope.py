"""`autograder check --gradescope`: what Gradescope tells of a student, and the file that it reads."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import CommandError
from autograder.grading.lateness import load_policy, penalty_for, seconds_after_due
from autograder.labs.generate import seed_of, with_generated
from autograder.labs.lab import Lab
from autograder.reports.upload import ResultsFile
from autograder.submission.metadata import read_metadata


def for_gradescope(lab: Lab, path: Path, metadata: Path | None) -> tuple[Lab, ResultsFile]:
    """The lab with what is asked of this student alone, and the file with the results, which is there from now on."""
    file = ResultsFile(path, lab)
    if lab.late is None and lab.generated is None:
        return lab, file
    if metadata is None:
        raise CommandError(
            f"Lab {lab.name} asks who handed in, and when: Gradescope tells.\n"
            "  Give its file: --metadata /autograder/submission_metadata.json"
        )
    handed_in, policy = read_metadata(metadata), load_policy(lab)
    student = handed_in.students[0]
    late = 0.0
    if lab.late is not None:
        late = seconds_after_due(lab.late, handed_in.students, handed_in.moment)
    whole = with_generated(lab, seed_of(lab.name, student))
    return whole, ResultsFile(
        path, whole, late, lambda score: penalty_for(policy, lab, student, score, late)
    )
