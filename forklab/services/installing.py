"""Which units come up by themselves: enable, disable, mask, unmask, and what they leave in a folder (systemctl(1)).

To enable a unit is to put a link to it into the folder `TARGET.wants/` of whoever its [Install] section names. So a
folder shows what is enabled, and a daemon-reload is all that it takes. Nothing is started here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from forklab.services.folder import Folders, Name
from forklab.services.unit import Load, Unit


class InstallError(Exception):
    """It cannot be done, or not as a whole."""


@dataclass(frozen=True)
class Link:
    """A link, and where it leads."""

    path: Path
    target: str

    def __str__(self) -> str:
        return f"{self.path} → {self.target}"


@dataclass(frozen=True)
class Installation:
    """What is enabled in folders; links are made in `place`, one of them."""

    folders: Folders
    place: Path

    @classmethod
    def of(cls, folders: Folders) -> Installation:
        """Links are made in the strongest folder."""
        return cls(folders, Path(folders.paths[0]))

    def enable(self, *names: str) -> list[Link]:
        """Makes the links that are missing, and answers all; none if the units do not say for whom they are.

        Raises InstallError; where something else has the place of a link, all others are made.
        """
        wanted = [
            link
            for name in names
            for unit in self._with_its_companions(name)
            for link in self._links_of(unit)
        ]
        taken = [link for link in wanted if self._is_taken(link)]
        for link in wanted:
            if link not in taken:
                link.path.parent.mkdir(parents=True, exist_ok=True)
                link.path.unlink(missing_ok=True)
                link.path.symlink_to(link.target)
        if taken:
            raise InstallError(f"{taken[0].path} is there already, and is something else.")
        return wanted

    def _is_taken(self, link: Link) -> bool:
        """By a file, or, in the folder of the units itself, by another name of another unit."""
        if not link.path.is_symlink():
            return link.path.exists()
        there = os.path.basename(os.readlink(link.path))
        return link.path.parent == self.place and there != os.path.basename(link.target)

    def disable(self, *names: str) -> list[Path]:
        """Removes all links to the units, also those that somebody made by hand."""
        found = [
            path
            for name in names
            for unit in self._with_its_companions(name)
            for path in self._links_to(unit.name)
        ]
        for path in dict.fromkeys(found):
            path.unlink()
            if path.parent != self.place and not any(path.parent.iterdir()):
                path.parent.rmdir()
        return found

    def mask(self, name: str) -> Path:
        """Makes it impossible to start the unit. Raises InstallError if its own file is in the way."""
        path = self.place / name
        if path.exists() and not path.is_symlink():
            raise InstallError(
                f"{path} is a file: only a unit of another folder can be masked in this one"
            )
        path.unlink(missing_ok=True)
        path.symlink_to(os.devnull)
        return path

    def unmask(self, name: str) -> list[Path]:
        path = self.place / name
        if not path.is_symlink() or os.path.realpath(path) != os.devnull:
            return []
        path.unlink()
        return [path]

    def state(self, name: str) -> str:
        """The word of `systemctl is-enabled`. Raises InstallError if there is no such unit."""
        unit = self._read(name)
        if unit.load is Load.MASKED:
            return "masked"
        if self.folders.canonical(name) != name:
            return "alias"
        if links := self._links_to(name):
            return "enabled" if self._is_meant(unit, links) else "indirect"
        if unit.wanted_by or unit.required_by or unit.alias:
            return "disabled"
        return "indirect" if unit.also else "static"

    def _is_meant(self, unit: Unit, links: list[Path]) -> bool:
        """Whether they enable the unit itself: of a template the instance that it names, and not another one."""
        name = Name(unit.name)
        if not name.is_template:
            return True
        meant = name.of_instance(unit.default_instance)
        return any(path.name == meant for path in links)

    def _read(self, name: str) -> Unit:
        unit, _ = self.folders.read(name)
        if unit.load is Load.NOT_FOUND:
            raise InstallError(f"Unit file {name} does not exist.")
        return unit

    def _with_its_companions(self, name: str) -> Iterator[Unit]:
        """The unit, and those that Also= says belong to it."""
        known, new = set[str](), [name]
        while new:
            unit = self._read(new.pop())
            if unit.load is Load.MASKED:
                raise InstallError(f"Unit file {unit.name} is masked.")
            known.add(unit.name)
            new += [other for other in unit.also if other not in known]
            yield unit

    def _links_of(self, unit: Unit) -> Iterator[Link]:
        source = self.folders.file_of(unit.name)
        name = Name(unit.name)
        if name.is_template and (unit.wanted_by or unit.required_by):
            if not unit.default_instance:
                raise InstallError(
                    f"{unit.name} is a template: say which instance, as {name.prefix}@NAME.{name.suffix}"
                )
            name = Name(name.of_instance(unit.default_instance))
        for kind, owners in (("wants", unit.wanted_by), ("requires", unit.required_by)):
            for owner in owners:
                yield Link(self.place / f"{owner}.{kind}" / name.full, str(source))
        for alias in map(Name, unit.alias):
            if (alias.suffix, alias.is_template) != (name.suffix, name.is_template):
                raise InstallError(
                    f"{alias.full} cannot be another name of {unit.name}: they differ in kind"
                )
            if alias.full != unit.name:
                yield Link(self.place / alias.full, str(source))

    def _links_to(self, name: str) -> list[Path]:
        found = []
        for folder in (self.place, *self.place.glob("*.wants"), *self.place.glob("*.requires")):
            for path in folder.iterdir() if folder.is_dir() else ():
                leads_here = path.is_symlink() and Path(os.readlink(path)).name in (
                    name,
                    Name(name).template,
                )
                named_so = path.name == name if folder != self.place else path.name != name
                if leads_here and (named_so or Name(name).is_template):
                    found.append(path)
        return found
