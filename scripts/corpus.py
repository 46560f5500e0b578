"""`make corpus`: the unit files of Debian's daemons, read by forklab.services, and a table of what came of it.

    python scripts/corpus.py FOLDER    the packages are fetched into FOLDER, with apt, and stay there

The packages are named in corpus_packages.txt. A unit is *read* if it could be started, and *verified* if each of its
lines is understood: known, or accepted and said to do nothing here.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forklab.services.folder import Folders, Name
from forklab.services.unit import Load
from forklab.services.unitfile import Problem

PACKAGES = Path(__file__).with_name("corpus_packages.txt")
PLACES = ("lib/systemd/system", "usr/lib/systemd/system")


@dataclass(frozen=True)
class Read:
    """A service as it was read."""

    package: str
    name: str
    load: Load
    wrong: tuple[Problem, ...]  # without what is accepted

    @property
    def verified(self) -> bool:
        return self.load is Load.LOADED and not self.wrong


def names() -> list[str]:
    lines = (line.partition("#")[0] for line in PACKAGES.read_text().splitlines())
    return sorted({name for line in lines for name in line.split()})


def fetch(folder: Path) -> list[str]:
    """The packages that this release has; each unpacked to its units, in a folder of its own."""
    wanted = names()
    missing = known([name for name in wanted if not (folder / name).is_dir()])
    if missing:
        subprocess.run(["apt-get", "download", "-qq", *missing], cwd=folder, check=True)
    for package in sorted(folder.glob("*.deb")):
        unpack(package, folder / package.name.partition("_")[0])
        package.unlink()
    there = [name for name in wanted if (folder / name).is_dir()]
    if len(there) < len(wanted):
        print("not in this release:", *sorted({*wanted} - {*there}), file=sys.stderr)
    return there


def known(wanted: list[str]) -> list[str]:
    """Those that apt could fetch."""
    told = subprocess.run(
        ["apt-cache", "show", "--no-all-versions", *wanted],
        capture_output=True,
        text=True,
        check=False,  # it is 100 if one of them is not known
    )
    lines = told.stdout.splitlines()
    return sorted({line.split()[1] for line in lines if line.startswith("Package: ")})


def unpack(package: Path, folder: Path) -> None:
    """The unit files of a package."""
    folder.mkdir()
    content = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    patterns = [f"./{place}/*" for place in PLACES]
    # GNU tar exits 2 where a pattern meets nothing.
    subprocess.run(
        ["tar", "-x", "--wildcards", "-C", folder, *patterns],
        stdin=content.stdout,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    assert content.stdout
    content.stdout.close()
    content.wait()


def units(folder: Path) -> list[str]:
    """The names of the units that have a file of their own: no aliases, no masks."""
    return sorted(
        path.name
        for place in PLACES
        for path in (folder / place).glob("*.*")
        if path.is_file() and not path.is_symlink()
    )


def services(package: str, folder: Path) -> Iterator[Read]:
    folders = Folders([folder / place for place in PLACES])
    for name in units(folder):
        if name.endswith(".service"):
            unit = Name(name)
            # A template is read as one of its instances.
            one = f"{unit.prefix}@instance.service" if unit.is_template else name
            read, problems = folders.read(one)
            wrong = tuple(each for each in problems if not each.harmless)
            yield Read(package, name, read.load, wrong)


def table(folder: Path, packages: list[str]) -> str:
    found = [each for package in packages for each in services(package, folder / package)]
    number_of_units = sum(len(units(folder / package)) for package in packages)
    loaded = sum(each.load is Load.LOADED for each in found)
    verified = sum(each.verified for each in found)
    reasons = Counter(problem.text for each in found for problem in each.wrong)
    lines = [
        f"packages                   {len(packages):5}",
        f"units                      {number_of_units:5}",
        f"services of daemons        {len(found):5}",
        f"  read                     {loaded:5}  {loaded / len(found):4.0%}",
        f"  read and verified        {verified:5}  {verified / len(found):4.0%}",
        "",
        "what most often is not understood:",
        *(f"  {count:4}  {text}" for text, count in reasons.most_common(25)),
    ]
    return "\n".join(lines)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    print(table(folder, fetch(folder)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
