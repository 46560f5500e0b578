"""What is explored of the manager: its parts are built, with mistakes in them if wanted, and put to work."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from forklab.bounds import MOST_STATES
from forklab.explore import Exploration, explore
from forklab.lens.world.limits import Limits

HERE = Path(__file__).parent / "explored"
KEEPER = Path(__file__).parents[2] / "forklab" / "services" / "c" / "keeper.c"
SECONDS = 3000.0  # a busy machine is slow
_LIMITS = Limits(processor_seconds=20.0)


class Edit(NamedTuple):
    """In a module of Python, or, without one, in keeper.c."""

    find: str
    replace: str
    module: str = ""


class Workshop:
    """Builds everything once. Programs stand in `folder`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def program(self, source: Path, edits: Sequence[Edit] = ()) -> Path:
        text = source.read_text()
        for find, replace, _ in edits:
            assert text.count(find) == 1, find
            text = text.replace(find, replace)
        name = f"{source.stem}.{abs(hash(text))}"
        made, written = self._folder / name, self._folder / f"{name}.c"
        if not made.exists():
            written.write_text(text)
            subprocess.run(["cc", "-std=gnu11", "-O1", "-static", "-o", made, written], check=True)
        return made

    def keeper_alone(self, play: str, deeds: str, edits: Sequence[Edit] = ()) -> Exploration:
        """Below a stand-in for the manager: all that it reports of a service, and that writes."""
        stand_in, keeper = self.program(HERE / "stand_in.c"), self.program(KEEPER, edits)
        service = self.program(HERE / "deeds.c")
        argv = [stand_in, keeper, play, service, *deeds.split()]
        return explore(list(map(str, argv)), seconds=SECONDS)

    def manager(
        self,
        units: dict[str, str],
        wanted: str,
        edits: Sequence[Edit] = (),
        seconds: float = SECONDS,
        limit: int = MOST_STATES,
    ) -> Exploration:
        """The whole of it. `{deeds}` in a unit file is the service."""
        service = self.program(HERE / "deeds.c")
        keeper = self.program(KEEPER, [edit for edit in edits if not edit.module])
        for name, text in units.items():
            quiet = "StandardOutput=null\nStandardError=null\n"
            (self._folder / name).write_text(text.replace("{deeds}", str(service)) + quiet)
        bundle = self._folder / "bundle"
        changed = [(each.module, each.find, each.replace) for each in edits if each.module]
        words = [word for edit in changed for word in edit]
        python = [sys.executable, "-S", "-E"]
        subprocess.run([*python, HERE / "bundle.py", bundle, *words], check=True)
        argv = [*python, HERE / "manager.py", bundle, self._folder, self._folder / "run"]
        return explore(
            [*map(str, argv), str(keeper), *wanted.split()],
            seconds=seconds,
            limit=limit,
            limits=_LIMITS,
        )
