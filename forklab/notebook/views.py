"""What a cell shows: one run of a program, or all that can come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from IPython.core.error import UsageError

from forklab.draw.film.page import film_html
from forklab.draw.outcomes.page import outcomes_html, reason_html
from forklab.draw.outcomes.text import outcomes_text
from forklab.draw.templates import template
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.text import tree_text
from forklab.explore import Exploration, Outcome, explore
from forklab.explore.why import Explanation, why
from forklab.lens.record import Recording, record
from forklab.lens.untraced.snapshot import Snapshot
from forklab.notebook.cell import Cell
from forklab.notebook.summary import how_it_went


@dataclass(frozen=True)
class RunView:
    """A run for a notebook: a film, and in text its tree at the end and how it went."""

    seen: Recording | Snapshot
    title: str = "film"
    at: float | None = None  # seconds; None: when most processes live

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        words = how_it_went(self.seen)
        if isinstance(self.seen, Recording):
            history = self.seen.history
            opening = history.busiest() if self.at is None else history.moment(self.at)
            text = tree_text(history.tree(opening))
            film, picture = film_html(history, title=self.title, page=False, start=opening), ""
        else:
            text = tree_text(self.seen.tree, self.seen.remarks)
            film, picture = "", tree_svg(self.seen.tree, self.seen.remarks) if text else ""
        return {
            "text/plain": "\n".join(part for part in (text, words) if part),
            "text/html": template("notebook/run.html")(film=film, picture=picture, words=words),
        }


@dataclass(frozen=True)
class Reason:
    """Why something can be printed, or can not."""

    answer: Explanation

    @property
    def possible(self) -> bool:
        return self.answer.possible

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        return {"text/plain": self.answer.text, "text/html": reason_html(self.answer.text)}


@dataclass(frozen=True)
class Outputs:
    """All that the program of a cell can do: `text in outputs` says whether it can print that, where white space does
    not count, and `len(outputs)` how many outputs there are."""

    cell: Cell
    found: Exploration
    hidden_folder: str = ""  # is left out of all that is said: it has another name each time

    def __contains__(self, text: str) -> bool:
        return text.split() in [output.split() for output in self]

    def __len__(self) -> int:
        return len(self.found.outputs)

    def __iter__(self) -> Iterator[str]:
        return map(self._without_folder, self.found.outputs)

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What it prints and how it ends, in the order of the numbers that are shown."""
        return self.found.outcomes

    @property
    def can_deadlock(self) -> bool:
        return any(outcome.deadlock for outcome in self.found.outcomes)

    def why(self, text: str) -> Reason:
        """By which schedule it prints this, or what forbids it."""
        answer = why(self.found, text)
        return Reason(replace(answer, text=self._without_folder(answer.text)))

    def film(self, which: int | str) -> RunView:
        """How an outcome comes about, by its number or by what is printed. Raises UsageError if there is none."""
        outcome = self._outcome(which)
        with self.cell.program() as program:
            run = record(
                program.argv,
                program=program.path,
                hidden_folder=program.folder,
                pipe=self.cell.pipe,
                schedule=outcome.replay,
            )
        return RunView(run, self.cell.title)

    def _outcome(self, which: int | str) -> Outcome:
        if isinstance(which, str):
            answer = why(self.found, which)
            if answer.outcome is None:
                raise UsageError(answer.text)
            return answer.outcome
        if not 1 <= which <= len(self.outcomes):
            raise UsageError(f"There is no outcome {which}: they are 1 to {len(self.outcomes)}.")
        return self.outcomes[which - 1]

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        forms = {"text/plain": outcomes_text(self.found), "text/html": outcomes_html(self.found)}
        return {kind: self._without_folder(text) for kind, text in forms.items()}

    def _without_folder(self, text: str) -> str:
        return text.replace(f"{self.hidden_folder}/", "") if self.hidden_folder else text


def all_outputs(cell: Cell, seconds: float) -> Outputs:
    """Explore it. Raises CannotCompileError and CannotRecordError."""
    with cell.program() as program:
        found = explore(program.argv, program=program.path, pipe=cell.pipe, seconds=seconds)
        return Outputs(cell, found, program.folder or "")
