"""Folders of unit files: which file is whose, and what else has a say (systemd.unit(5), "Unit File Load Path").

Of a name that several folders have, the first folder's file counts. `foo@bar.service` is read from `foo@.service` where
it has no file of its own. Drop-ins `NAME.d/*.conf` come on top, by their file names, whichever folder they are in.
`NAME.wants/` and `NAME.requires/` add dependencies. A link to /dev/null, and an empty file, mask a unit.
"""

from __future__ import annotations

import grp
import os
import platform
import pwd
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Final

from forklab.services.keys import unit as unit_of
from forklab.services.unit import Load, Relation, Unit
from forklab.services.unitfile import Problem, Setting, settings
from forklab.services.values import KINDS, unit_name
from forklab.services.words import unescape

_LONGEST_FILE: Final = 8 << 20
_MOST_LINKS: Final = 8


@dataclass(frozen=True)
class Name:
    """`foo@bar.service` in its parts."""

    full: str

    @property
    def suffix(self) -> str:
        return self.full.rpartition(".")[2]

    @property
    def stem(self) -> str:
        return self.full.rpartition(".")[0]

    @property
    def prefix(self) -> str:
        return self.stem.partition("@")[0]

    @property
    def instance(self) -> str:
        return self.stem.partition("@")[2]

    @property
    def is_template(self) -> bool:
        return self.stem.endswith("@") and not self.instance

    @property
    def template(self) -> str:
        """The unit of which this is an instance; itself if it is none."""
        return f"{self.prefix}@.{self.suffix}" if "@" in self.stem else self.full

    def of_instance(self, instance: str) -> str:
        return f"{self.prefix}@{instance}.{self.suffix}"

    def meant(self, other: str) -> str:
        """The unit that is meant by a name in this one: of a template, its instance of the same name."""
        name = Name(other)
        return name.of_instance(self.instance or self.prefix) if name.is_template else other

    def with_drop_ins(self) -> Iterator[str]:
        """All names whose drop-ins and links count, the most particular first: foo-bar@x, foo-bar@, foo-, service."""
        yield self.full
        if self.template != self.full:
            yield self.template
        parts = self.prefix.split("-")
        for length in range(len(parts) - 1, 0, -1):
            yield f"{'-'.join(parts[:length])}-.{self.suffix}"
        yield self.suffix


def full_name(text: str) -> str:
    """What people mean: `web` is web.service. A letter that no name may have is escaped, a slash becomes a minus."""
    name = re.sub(r"[^\w:.@\\/-]", lambda found: f"\\x{ord(found[0]):02x}", text, flags=re.ASCII)
    name = name.replace("/", "-")
    return name if name.endswith(KINDS) else f"{name}.service"


@dataclass(frozen=True)
class Folders:
    """Where units are looked for, the strongest first."""

    paths: Sequence[Path]

    def everything(self) -> tuple[dict[str, Unit], list[Problem]]:
        """All units of the folders, and all that they name: an instance is read where it is named."""
        return self._load_from(self.paths)

    def ours(self, *more: str) -> tuple[dict[str, Unit], list[Problem]]:
        """All units of the first folder, and `more`, with all that they name: of a distribution's hundreds only those
        count that somebody has to do with.
        """
        return self._load_from(self.paths[:1], more)

    def _load_from(
        self, paths: Sequence[Path], more: Sequence[str] = ()
    ) -> tuple[dict[str, Unit], list[Problem]]:
        found = [path for folder in paths for path in _unit_files_in(folder)]
        names, nameless = list[str](), list[Problem]()
        for path in found:
            try:
                names.append(unit_name(path.name))
            except ValueError as error:
                nameless.append(Problem(str(path), 0, f"{error}; it is ignored"))
        units, problems = self.load([*names, *more])
        return units, nameless + problems

    def load(self, names: Sequence[str]) -> tuple[dict[str, Unit], list[Problem]]:
        """These units and, as far as they have files, those that they speak of."""
        units: dict[str, Unit] = {}
        problems: list[Problem] = []
        # A name may stand in a thousand units: it is looked for once.
        canonical, file_of = cache(self.canonical), cache(self.file_of)
        new = list(dict.fromkeys(names))
        aliases = self._aliases()
        for name in map(canonical, new):  # it grows meanwhile
            if name in units:
                continue
            unit, found = self.read(name, aliases.get(name, ()))
            relations = {
                relation: frozenset(map(canonical, map(Name(name).meant, others)))
                for relation, others in unit.relations.items()
            }
            problems += found
            for relation, others in relations.items():
                if name in others:
                    relations[relation] = others - {name}
                    words = f"{relation}= of itself: it is dropped"
                    problems.append(Problem(next(iter(unit.files), name), 0, words))
            written = {(each, canonical(of)): where for (each, of), where in unit.written.items()}
            units[name] = replace(unit, relations=relations, written=written)
            new += sorted(filter(file_of, frozenset().union(*relations.values()) - units.keys()))
        return {name: _with_defaults(unit, units) for name, unit in units.items()}, problems

    def read(self, name: str, aliases: Sequence[str] = ()) -> tuple[Unit, list[Problem]]:
        """The unit as its files have it. Drop-ins of its other names count as well."""
        path = self.file_of(name)
        if path is None:
            return Unit(name, Load.NOT_FOUND), []
        if _is_mask(path):
            mask = (path,)
            return Unit(name, Load.MASKED, files=(str(path),), changed=_last_changes(mask)), []
        lines: list[Setting] = []
        problems: list[Problem] = []
        load = Load.LOADED
        files = (path, *self._drop_ins(map(Name, (name, *aliases))))
        changed = _last_changes(files)  # before they are read: nothing is missed
        for each in files:
            try:
                if not each.exists():
                    raise OSError("it is a link that leads nowhere")
                if not each.is_file():
                    raise OSError("it is no regular file")
                text = each.read_bytes()
                if len(text) > _LONGEST_FILE:
                    raise OSError(f"it has more than {_LONGEST_FILE} bytes")
            except OSError as error:
                problems.append(Problem(str(each), 0, f"cannot be read: {error.strerror or error}"))
                continue
            for line in settings(text, str(each)):
                if isinstance(line, Problem):
                    problems.append(line)
                    if line.final and each == path:  # a drop-in counts up to there
                        load = Load.ERROR
                else:
                    lines.append(line)
        where = {"y": lambda: str(path), "Y": lambda: str(path.parent)}
        unit, found = unit_of(name, lines, {**meanings(Name(name)), **where})
        found = [replace(each, file=str(path)) if each.file == name else each for each in found]
        relations = dict(unit.relations)
        for relation, folder in ((Relation.WANTS, "wants"), (Relation.REQUIRES, "requires")):
            if linked := self._linked(name, folder):
                relations[relation] = unit[relation] | linked
        made = replace(
            unit,
            load=unit.load if load is Load.LOADED else load,
            relations=relations,
            files=tuple(map(str, files)),
            changed=changed,
            aliases=tuple(aliases),
        )
        return made, problems + found

    def is_outdated(self, unit: Unit) -> bool:
        """Whether its files have changed since it was read, or are others now."""
        if unit.load is Load.NOT_FOUND:
            return False
        path = self.file_of(unit.name)
        files = [] if path is None else [path]
        if path and not _is_mask(path):
            files += self._drop_ins(map(Name, (unit.name, *unit.aliases)))
        return (tuple(map(str, files)), _last_changes(files)) != (unit.files, unit.changed)

    def canonical(self, name: str) -> str:
        """The unit that a name means: itself, unless it is a link to a unit of another name (Alias=)."""
        for _ in range(_MOST_LINKS):
            path = self.file_of(name)
            if path is None or not path.is_symlink() or _is_mask(path):
                break
            other = Name(Path(os.readlink(path)).name)
            if other.full in (name, Name(name).template) or not self.file_of(other.full):
                break
            name = other.of_instance(Name(name).instance) if other.is_template else other.full
        return name

    def file_of(self, name: str) -> Path | None:
        """The file that a unit is read from."""
        for each in dict.fromkeys((name, Name(name).template)):
            for folder in self.paths:
                if os.path.lexists(folder / each):
                    return folder / each
        return None

    def _aliases(self) -> dict[str, list[str]]:
        """The other names of units: links to them."""
        found: dict[str, list[str]] = {}
        for folder in filter(Path.is_dir, self.paths):
            with os.scandir(folder) as entries:
                links = [each.name for each in entries if each.is_symlink()]
            for name in sorted(links):
                if (unit := self.canonical(name)) != name:
                    found.setdefault(unit, []).append(name)
        return found

    def _drop_ins(self, names: Iterable[Name]) -> list[Path]:
        """Of two with one file name the more particular counts."""
        found: dict[str, Path] = {}
        for owner in chain.from_iterable(name.with_drop_ins() for name in names):
            for folder in self.paths:
                place = folder / f"{owner}.d"
                if place.is_dir():
                    for path in place.glob("*.conf"):
                        found.setdefault(path.name, path)
        counts = (each for each in sorted(found) if not each.startswith("."))
        return [found[each] for each in counts if not _is_mask(found[each])]

    def _linked(self, name: str, folder: str) -> frozenset[str]:
        owners = Name(name).with_drop_ins()
        places = [path / f"{owner}.{folder}" for owner in owners for path in self.paths]
        return frozenset(
            each.name for place in places if place.is_dir() for each in place.iterdir()
        )


def _unit_files_in(folder: Path) -> list[Path]:
    """But templates: they are read as their instances."""
    files = sorted(folder.iterdir()) if folder.is_dir() else []
    units = [each for each in files if each.name.endswith((".service", ".target"))]
    return [each for each in units if not Name(each.name).is_template]


def _last_changes(files: Iterable[Path]) -> tuple[int, ...]:
    """0: it cannot be told."""

    def last_change(path: Path) -> int:
        try:
            return 0 if _is_mask(path) else path.stat().st_mtime_ns
        except OSError:
            return 0

    return tuple(map(last_change, files))


def _is_mask(path: Path) -> bool:
    return os.path.realpath(path) == os.devnull or (path.is_file() and not path.stat().st_size)


def _with_defaults(unit: Unit, units: Mapping[str, Unit]) -> Unit:
    """A target comes after all that it wants or requires, unless they say the opposite."""
    if not unit.default_dependencies or not unit.name.endswith(".target"):
        return unit
    pulled = unit[Relation.WANTS] | unit[Relation.REQUIRES]
    after = {
        other
        for other in pulled
        if other in units
        and units[other].default_dependencies
        and unit.name not in units[other][Relation.AFTER]
    }
    return replace(unit, relations={**unit.relations, Relation.AFTER: unit[Relation.AFTER] | after})


def meanings(name: Name) -> Mapping[str, Callable[[], str]]:
    """The specifiers (systemd.unit(5), "Specifiers"), of a manager for the system."""
    last = name.prefix.rpartition("-")[2]
    me = pwd.getpwuid(os.getuid())
    return {
        "n": lambda: name.full,
        "N": lambda: name.stem,
        "p": lambda: name.prefix,
        "P": lambda: unescape(name.prefix),
        "i": lambda: name.instance,
        "I": lambda: unescape(name.instance),
        "j": lambda: last,
        "J": lambda: unescape(last),
        "f": lambda: "/" + unescape(name.instance or name.prefix).lstrip("/"),
        "t": lambda: "/run",
        "S": lambda: "/var/lib",
        "C": lambda: "/var/cache",
        "L": lambda: "/var/log",
        "E": lambda: "/etc",
        "T": lambda: "/tmp",
        "V": lambda: "/var/tmp",
        "u": lambda: me.pw_name,
        "U": lambda: str(me.pw_uid),
        "g": lambda: grp.getgrgid(me.pw_gid).gr_name,
        "G": lambda: str(me.pw_gid),
        "h": lambda: me.pw_dir,
        "s": lambda: me.pw_shell,
        "H": socket.gethostname,
        "l": lambda: socket.gethostname().partition(".")[0],
        "v": lambda: os.uname().release,
        "a": lambda: _ARCHITECTURES.get(os.uname().machine, os.uname().machine),
        "b": lambda: _first_line("/proc/sys/kernel/random/boot_id").replace("-", ""),
        "m": lambda: _first_line("/etc/machine-id"),
        **{letter: partial(_of_the_system, key) for letter, key in _OS_RELEASE.items()},
    }


_ARCHITECTURES: Final = {"x86_64": "x86-64", "aarch64": "arm64"}  # systemd's words
_OS_RELEASE: Final = {"o": "ID", "w": "VERSION_ID", "W": "VARIANT_ID", "B": "BUILD_ID"}


def _first_line(path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None


def _of_the_system(key: str) -> str:
    """What os-release(5) says, which need not be there."""
    try:
        return platform.freedesktop_os_release().get(key, "")
    except OSError:
        return ""
