"""Writes what Gradescope asks an instructor to upload: a zip with the grader, one lab, and two scripts.

    python scripts/gradescope.py LAB FILE.zip

Says how many points to type there.

Gradescope unpacks it at /autograder/source, runs setup.sh once, and run_autograder for each submission. No solution and
no mutant is in it: submissions are judged on the same machine.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import CommandError
from autograder.grading.lateness import load_policy
from autograder.labs.generate import with_generated
from autograder.labs.lab import Lab, load_lab
from autograder.language.roles import SUBREAPER
from autograder.reports.cells import number

ROOT = Path(__file__).resolve().parent.parent
_NOT_NEEDED = {"__pycache__", "blank"}  # the latter is what new labs are made of
SETUP = """\
#!/bin/sh
# Gradescope runs this once, as root, when it builds the image.
set -e
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive
command -v python3 >/dev/null && command -v make >/dev/null || {
    apt-get -qq update
    apt-get install -y -qq --no-install-recommends ca-certificates make python3
}
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    apt-get -qq update
    apt-get install -y -qq --no-install-recommends python3.11 python3.11-venv
    export PYTHON3=python3.11
}
sh scripts/setup.sh .venv base
"""
RUN = """\
#!/bin/sh
# Gradescope runs this for each submission.
cd /autograder/source || exit
.venv/bin/autograder check labs/{lab} /autograder/submission \\
    --gradescope /autograder/results/results.json --metadata /autograder/submission_metadata.json
"""


def main(words: list[str]) -> int:
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        total = write_zip(words[0], Path(words[1]))
    except CommandError as error:
        print(f"gradescope: {error}", file=sys.stderr)
        return 2
    print(f"{words[1]}: upload it on Gradescope, Configure Autograder, Zip file upload.")
    print(
        f"Autograder points, to be typed in the settings of the assignment there: {number(total)}"
    )
    return 0


def write_zip(lab_name: str, target: Path) -> float:
    """Answers how many points can be had there. Raises CommandError if there is no such lab, or if it is wrong."""
    lab = load_lab(lab_name)
    late = files_of_the_policy(lab)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), 0o755)
        _add(archive, "run_autograder", RUN.format(lab=lab.name).encode(), 0o755)
        for path in files_of_the_grader():
            _add(archive, str(path.relative_to(ROOT)), path.read_bytes(), 0o644)
        for path in (lab.folder / "lab.toml", *late, *sorted(lab.folder.glob("scenarios/*.toml"))):
            name = path.resolve().relative_to(lab.folder.resolve())
            _add(archive, f"labs/{lab.name}/{name}", path.read_bytes(), 0o644)
    return points_there(lab)


def points_there(lab: Lab) -> float:
    """Gradescope's containers refuse namespaces: what only a real PID 1 can be asked counts for nobody there."""
    asked = [s for s in with_generated(lab, 0).scenarios if SUBREAPER in s.modes and not s.extra]
    return sum(scenario.points for scenario in asked)


def files_of_the_policy(lab: Lab) -> list[Path]:
    """The late policy has to come along. One from a module of this machine would not be found there."""
    if lab.late is None:
        return []
    load_policy(lab)
    file = lab.folder / lab.late.policy.partition(":")[0]
    if file.suffix != ".py" or not file.resolve().is_relative_to(lab.folder.resolve()):
        raise CommandError(
            f"{lab.folder / 'lab.toml'}, late.policy = {lab.late.policy!r}: Gradescope's machine has no such module.\n"
            '  Put the function into a file in the lab\'s folder: policy = "late.py:FUNCTION"'
        )
    return [file]


def files_of_the_grader() -> Iterator[Path]:
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "scripts/setup.sh"):
        yield ROOT / name
    for package in ("forklab", "autograder"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and _NOT_NEEDED.isdisjoint(path.parts):
                yield path


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    """The same bytes each time: no owner, and a date that says nothing."""
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
