"""What the last cell ran, a program below the lens or a folder of units: checks, variants and the explorer ask."""

from __future__ import annotations

from dataclasses import dataclass

from IPython.core.error import UsageError

from forklab.lens.record import Recording
from forklab.lens.untraced.snapshot import Snapshot
from forklab.notebook.cell import Cell
from forklab.notebook.units import UnitsRun

NONE = "No program has run. Mend the cell above, and run it again."
_NO_UNITS = "No units have run. Mend the %%units cell above, and run it again."


@dataclass
class Last:
    """A program's text and its run, or that of units; None if there is none, or if it did not run.

    `scene`: the line and the cell of a `%%units`.
    """

    cell: Cell | None = None
    run: Recording | Snapshot | None = None
    units: UnitsRun | None = None
    scene: tuple[str, str] | None = None

    def forget(self) -> None:
        self.cell = self.run = self.units = self.scene = None

    def program(self) -> Cell:
        """Raises UsageError if none has run."""
        if self.cell is None:
            raise UsageError(NONE)
        return self.cell

    def started(self) -> UnitsRun:
        """Raises UsageError if no units have run."""
        if self.units is None:
            raise UsageError(_NO_UNITS)
        return self.units


last = Last()
