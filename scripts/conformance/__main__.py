"""`make conformance`: plays everything, and writes docs/conformance.md with its pictures.

    PYTHONPATH=scripts python -m conformance ROOT [--kept]    --kept: the page alone, from the results that are there

A program that fails a scene for which findings.toml has no reason is an error, and so is a reason for a scene that it
passes: nobody is accused of what nobody has looked at.
"""

from __future__ import annotations

import datetime
import gzip
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from conformance.page import Failed, page, reasons
from conformance.played import HERE, Program, history, programs
from forklab.draw.trees.picture import tree_svg

DOCS = HERE.parents[1] / "docs"
RESULTS = DOCS / "conformance" / "results.json"
_GROUP = """
main forks worker
main catches SIGTERM
send SIGTERM to init
expect main gets SIGTERM
"""
_GOODBYE = """
main forks daemon
daemon catches SIGTERM
main exits 0
expect main is reaped
"""
PICTURES = {
    "group_tini": ("tini", _GROUP),
    "group_tini-g": ("tini -g", _GROUP),
    "goodbye_tini": ("tini", _GOODBYE),
    "goodbye_our-shutdown": ("our shutdown", _GOODBYE),
}
MISSING = ["dinit is not in Debian 12, so nothing is said of it."]


def main() -> int:
    root = Path(sys.argv[1]).resolve()
    if "--kept" not in sys.argv:
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text(json.dumps(played(root), indent=1) + "\n")
    seen = json.loads(RESULTS.read_text())
    unexplained = problems(seen["failed"])
    for problem in unexplained:
        print(problem, file=sys.stderr)
    if unexplained:
        return 1
    (DOCS / "conformance.md").write_text(written(seen), "utf-8")
    if "--kept" not in sys.argv:
        for path, svg in pictures(root).items():
            path.parent.mkdir(exist_ok=True)
            path.write_text(svg)
    return 0


def written(seen: dict[str, Any]) -> str:
    """The page about what was seen."""
    return page(
        seen["failed"],
        programs(),
        seen["versions"],
        date=seen["date"],
        system=seen["system"],
        missing=MISSING,
    )


def played(root: Path) -> dict[str, Any]:
    """What every program fails, and of which version it is."""

    def one(program: Program) -> Failed:
        command = [sys.executable, "-m", "conformance.played", program.name, root]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{program.name}: {done.stderr}")
        print(f"{program.name}: played", file=sys.stderr)
        found: Failed = json.loads(done.stdout)
        return found

    with ThreadPoolExecutor(2) as plays:
        failed = plays.map(one, programs())
        return {
            "date": datetime.date.today().isoformat(),
            "system": system(root),
            "versions": {p.package: version(root, p.package) for p in programs() if p.package},
            "failed": {p.name: lost for p, lost in zip(programs(), failed, strict=True)},
        }


def problems(seen: dict[str, Failed]) -> list[str]:
    """Scenes that are failed without a reason, and reasons for what is passed."""
    found = []
    for program in programs():
        failed = seen[program.name]
        for key, (line, words) in failed.items():
            if not reasons(program, key):
                found.append(
                    f"{program.name} fails {key}, line {line}, and nobody says why: {words}"
                )
        for finding in program.findings:
            found += [
                f"{program.name} passes {key}, and yet there is a reason why it does not"
                for key in finding.scenes
                if key not in failed
            ]
    return found


def pictures(root: Path) -> dict[Path, str]:
    """A few plays as trees, as they stand at the end of their scripts."""
    by_name = {program.name: program for program in programs()}
    return {
        DOCS / "conformance" / f"{name}.svg": tree_svg(
            history(by_name[program], script, root).tree()
        )
        for name, (program, script) in PICTURES.items()
    }


def system(root: Path) -> str:
    return f"Debian {(root / 'etc' / 'debian_version').read_text().strip()}"


def version(root: Path, package: str) -> str:
    """As its changelog has it: no package of the root is installed."""
    folder = root / "usr" / "share" / "doc" / package
    for name in ("changelog.Debian.amd64.gz", "changelog.Debian.gz", "changelog.gz"):
        if (folder / name).is_file():
            with gzip.open(folder / name, "rt", errors="replace") as changelog:
                found = re.search(r"\(([^)]+)\)", changelog.readline())
            if found:
                return found[1]
    return ""


if __name__ == "__main__":
    raise SystemExit(main())
