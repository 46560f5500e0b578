"""The parts of a student's page, each made once for all students whose verdict is the same."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from autograder.reports.cells import number
from autograder.reports.feedback import MARKS, STANDING_MARKS, stretches
from autograder.reports.files import write_whole
from autograder.reports.film import film_of_play
from autograder.safe_text import safe_text
from autograder.trial.verdict import Status, Verdict
from forklab.draw.fold import in_a_row, label
from forklab.draw.trees.legend import legend_svg
from forklab.draw.trees.picture import tree_svg
from forklab.draw.trees.text import tree_text
from forklab.history import History, Remark

_MOST_SECTIONS = 4096  # that are kept


@dataclass(frozen=True)
class Files:
    """Where the pictures and the film of a verdict are, as seen from a page; empty where there is nothing to show."""

    expected: str = ""
    observed: str = ""
    film: str = ""


@dataclass(frozen=True)
class Told:
    """What a section says in prose: what is not on the page yet, and the scenario at which the rest is."""

    message: str
    earlier: str = ""
    why: str = ""


class Sections:
    """Renders verdicts for the pages in `folder`.

    Pictures and films stand beside the pages, each once however many students need it: pictures/DIGEST.svg.
    """

    def __init__(self, templates: Environment, folder: Path) -> None:
        macros = vars(templates.get_template("parts.html").module)
        self._attention: Callable[[Verdict, Told, Files], str] = macros["attention"]
        self._folded: Callable[[Verdict, Told], str] = macros["folded"]
        self._folder = folder
        self._written: set[str] = set()
        self.section = lru_cache(_MOST_SECTIONS)(self._section)
        self._picture = lru_cache(_MOST_SECTIONS)(self._draw)
        self._film = lru_cache(_MOST_SECTIONS)(self._shoot)
        write_whole(folder / "style.css", _source(templates, "report.css"))
        write_whole(folder / "legend.svg", legend_svg())

    def _section(self, verdict: Verdict, told: Told) -> Markup:
        """The section of one scenario: in full if there is something to look at, else folded."""
        if verdict.status in (Status.FAILED, Status.ERROR):
            return Markup(self._attention(verdict, told, self._files(verdict)))
        return Markup(self._folded(verdict, told))

    def _files(self, verdict: Verdict) -> Files:
        if not verdict.observed.events:
            return Files()
        expected = ""
        if verdict.expected.events:
            expected = self._picture(verdict.expected, _items(verdict.expected_remarks))
        observed = self._picture(verdict.observed, _items(verdict.remarks))
        return Files(
            expected, observed, self._film(verdict.observed, verdict.title, verdict.script)
        )

    def _draw(self, history: History, remarks: tuple[tuple[str, Remark], ...]) -> str:
        return self._share("pictures", "svg", tree_svg(history.tree(), dict(remarks)))

    def _shoot(self, history: History, title: str, script: str) -> str:
        return self._share("films", "html", film_of_play(history, title, script))

    def _share(self, folder: str, suffix: str, text: str) -> str:
        name = f"{folder}/{sha256(text.encode()).hexdigest()[:16]}.{suffix}"
        if name not in self._written:
            write_whole(self._folder / name, text)
            self._written.add(name)
        return name


def _items(remarks: Mapping[str, Remark]) -> tuple[tuple[str, Remark], ...]:
    return tuple(sorted(remarks.items()))


def _source(templates: Environment, name: str) -> str:
    assert templates.loader is not None
    return templates.loader.get_source(templates, name)[0]


def environment() -> Environment:
    """The templates, with what they may use."""
    found = Environment(
        loader=PackageLoader("autograder.reports", "templates"),
        autoescape=True,  # names and messages come from strangers
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    found.globals.update(
        script=Markup(_source(found, "filter.js")),
        marks={str(status): mark for status, mark in MARKS.items()},
        standing_marks=dict(STANDING_MARKS),
    )
    found.filters.update(
        number=number,
        safe_text=safe_text,
        stretches=stretches,
        lead=_lead,
        unexpected=_unexpected,
        lines=lambda text: text.rstrip().splitlines(),
        day=lambda moment: moment.replace("T", " ")[:16] + " UTC",
        duration=_duration,
        expected_text=lambda v: tree_text(v.expected.tree(), v.expected_remarks),
        observed_text=lambda v: tree_text(v.observed.tree(), v.remarks),
    )
    return found


def _lead(prose: str) -> tuple[str, str]:
    """What happened, and the rest: split after the first sentence or, if sooner, the first colon."""
    end = re.search(r"[.:](?=\s)", prose)
    return (prose[: end.end()], prose[end.end() :]) if end else (prose, "")


def _unexpected(verdict: Verdict) -> list[tuple[str, str]]:
    """What the badges of the picture say, a row of processes as one: ("g2..g8", "should be ...")."""
    found: list[tuple[tuple[str, ...], str]] = []
    for name, remark in verdict.remarks.items():
        if remark.unexpected is None:
            continue
        if found and found[-1][1] == remark.unexpected and in_a_row(found[-1][0][-1], name):
            found[-1] = ((*found[-1][0], name), remark.unexpected)
        else:
            found.append(((name,), remark.unexpected))
    return [(label(names), words) for names, words in found]


def _duration(seconds: float) -> str:
    """ "0.24 s", "12 s", "3 min", "2 h", "3 days": two digits are enough to compare."""
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.2g} s" if seconds < 100 else f"{seconds:.0f} s"
