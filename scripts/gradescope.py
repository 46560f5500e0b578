"""Writes what Gradescope asks an instructor to upload: a zip with the grader, one lab, and two scripts.

    python scripts/gradescope.py LAB FILE.zip

Gradescope unpacks it at /autograder/source, runs setup.sh once, and run_autograder for each submission. No solution and
no mutant is in it: submissions are judged on the same machine.
"""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from autograder.errors import CommandError
from autograder.labs.lab import load_lab

ROOT = Path(__file__).resolve().parent.parent
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
.venv/bin/autograder check labs/{lab} /autograder/submission --gradescope /autograder/results/results.json
"""


def main(words: list[str]) -> int:
    if len(words) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    try:
        write_zip(words[0], Path(words[1]))
    except CommandError as error:
        print(f"gradescope: {error}", file=sys.stderr)
        return 2
    print(f"{words[1]}: upload it on Gradescope, Configure Autograder, Zip file upload.")
    return 0


def write_zip(lab_name: str, target: Path) -> None:
    """Raises CommandError if there is no such lab, or if it is wrong."""
    lab = load_lab(lab_name)
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "setup.sh", SETUP.encode(), 0o755)
        _add(archive, "run_autograder", RUN.format(lab=lab.name).encode(), 0o755)
        for path in files_of_the_grader():
            _add(archive, str(path.relative_to(ROOT)), path.read_bytes(), 0o644)
        for path in (lab.folder / "lab.toml", *sorted(lab.folder.glob("scenarios/*.toml"))):
            name = path.resolve().relative_to(lab.folder.resolve())
            _add(archive, f"labs/{lab.name}/{name}", path.read_bytes(), 0o644)


def files_of_the_grader() -> Iterator[Path]:
    for name in ("pyproject.toml", "requirements.lock", "README.md", "LICENSE", "scripts/setup.sh"):
        yield ROOT / name
    for package in ("forklab", "autograder"):
        for path in sorted((ROOT / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield path


def _add(archive: zipfile.ZipFile, name: str, content: bytes, mode: int) -> None:
    """The same bytes each time: no owner, and a date that says nothing."""
    entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    archive.writestr(entry, content)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
