"""What a cell shows: one run of a program, or all that can come of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from IPython.core.error import UsageError

from forklab.draw.film.captions import captions, clocks
from forklab.draw.film.page import film_html
from forklab.draw.outcomes.graph_picture import process_graph_svg
from forklab.draw.outcomes.page import outcomes_html, reason_html
from forklab.draw.outcomes.text import outcomes_text
from forklab.draw.templates import template
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.text import alt_text, tree_text
from forklab.explore import Exploration, Outcome, explore
from forklab.explore.why import Explanation, why
from forklab.history import History
from forklab.lens.record import Recording, record
from forklab.lens.untraced.snapshot import Snapshot
from forklab.notebook.cell import Cell
from forklab.notebook.still import Still, still_html
from forklab.notebook.summary import how_it_went

IN_WORDS = "The picture in words"


def film_view(history: History, title: str, at: float | None) -> tuple[str, str]:
    """In text, the moment at which the film opens, `at` so many seconds, else when most processes live; and in HTML."""
    if not history.events:
        return "", film_html(history, title=title, page=False)
    opening = history.busiest() if at is None else history.moment(at)
    tree = history.tree(opening)
    text = tree_text(tree)
    still = Still(
        text,
        heading=captions(history)[opening],
        clock=clocks(history)[opening],
        picture=tree_svg(tree),
        alt=alt_text(tree),
        folded=IN_WORDS,
    )
    film = film_html(history, title=title, page=False, start=opening)
    return text, still_html(still, film)


@dataclass(frozen=True)
class RunView:
    """A run for a notebook: a film, and in text its tree at the end and how it went."""

    seen: Recording | Snapshot
    title: str = "film"
    at: float | None = None  # seconds; None: when most processes live

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        words = how_it_went(self.seen)
        if isinstance(self.seen, Recording):
            text, shown = film_view(self.seen.history, self.title, self.at)
        else:
            text, shown = self._picture(self.seen)
        return {
            "text/plain": "\n".join(part for part in (text, words) if part),
            "text/html": template("notebook/run.html")(shown=shown, words=words),
        }

    @staticmethod
    def _picture(seen: Snapshot) -> tuple[str, str]:
        """The same of a program of which there is no film."""
        text = tree_text(seen.tree, seen.remarks)
        if not text:
            return "", ""
        picture, alt = tree_svg(seen.tree, seen.remarks), alt_text(seen.tree, seen.remarks)
        return text, still_html(Still(text, picture=picture, alt=alt, folded=IN_WORDS), picture)


@dataclass(frozen=True)
class Reason:
    """Why something can be printed, or can not."""

    answer: Explanation

    @property
    def possible(self) -> bool:
        return self.answer.possible

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        words = self.answer.text
        return {
            "text/plain": words,
            "text/html": still_html(Still(words), reason_html(words)),
        }


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
        words, graph = outcomes_text(self.found), self.found.process_graph
        still = Still(words, picture=process_graph_svg(graph), alt="process graph")
        forms = {
            "text/plain": words,
            "text/html": still_html(still, outcomes_html(self.found)),
        }
        return {kind: self._without_folder(text) for kind, text in forms.items()}

    def _without_folder(self, text: str) -> str:
        return text.replace(f"{self.hidden_folder}/", "") if self.hidden_folder else text


def all_outputs(cell: Cell, seconds: float) -> Outputs:
    """Explore it. Raises CannotCompileError and CannotRecordError."""
    with cell.program() as program:
        found = explore(program.argv, program=program.path, pipe=cell.pipe, seconds=seconds)
        return Outputs(cell, found, program.folder or "")
