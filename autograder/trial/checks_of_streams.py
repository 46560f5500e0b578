"""Checks of what is written and read, and of where descriptors lead."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from autograder.language.streams import (
    ErrorOutputIs,
    HasAsStandard,
    HasErrorOutput,
    HasFoundTheEnd,
    HasNoSpareDescriptors,
    HasOutput,
    HasRead,
    OfStreams,
    OutputInAnyOrder,
    OutputIs,
    WritesTo,
)
from autograder.stage.quiescence import Settled
from autograder.trial.check import Check, CheckMaker, always
from autograder.trial.explain import shorten
from autograder.trial.written import PID_OF, differing, whole_lines


class ChecksOfStreams:
    """Makes those of one play."""

    def __init__(self, make: CheckMaker) -> None:
        self._make = make
        self._facts = make.facts
        self._explainer = make.explainer

    def of(self, expected: OfStreams) -> Check:
        facts, inherited = self._facts, self._facts.inherited()
        match expected:
            case WritesTo():
                pairs = expected.pairs()
                return Check(
                    broken=lambda _: [a for a, b in pairs if not inherited.writes_to(a, b)],
                    fact=lambda breach: (
                        f"What {self._explainer.who(breach.names[0])} writes does not go through a "
                        f"pipe to {expected.others}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should write to {expected.others}"),
                )
            case HasAsStandard(actors, file, stream):
                return self._make.simply(
                    actors,
                    lambda name: inherited.has_open(name, stream, file),
                    f"has not {file} as standard {stream}",
                    f"should have {file} as standard {stream}",
                )
            case HasNoSpareDescriptors(actors):
                return Check(
                    broken=self._make.unless(
                        actors, lambda name: not facts.spare_descriptors(name)
                    ),
                    fact=lambda breach: (
                        f"{self._explainer.who(breach.names[0])} started with more open than it needs: "
                        f"{facts.spare_descriptors(breach.names[0])}."
                    ),
                    hint=always(""),
                    badge=always("should start with no other descriptors"),
                )
            case HasRead(actors, text):
                wanted = whole_lines(text)
                return Check(
                    broken=self._make.unless(actors, lambda name: facts.line_read(name) == wanted),
                    fact=lambda breach: self._other_line(breach.names[0], wanted),
                    hint=self._make.advice(),
                    badge=always(f"should read {wanted!r}"),
                )
            case HasFoundTheEnd(actors):
                return Check(
                    broken=self._make.unless(actors, lambda name: facts.line_read(name) == ""),
                    fact=lambda breach: self._other_line(breach.names[0], ""),
                    hint=self._make.advice(),
                    badge=always("should find the end of file"),
                )
            case OutputIs(text):
                return self._written(facts.output, "output", whole_lines(text))
            case OutputInAnyOrder(text):
                return self._written(facts.output, "output", whole_lines(text), _sorted_lines)
            case ErrorOutputIs(text):
                return self._written(facts.error_output, "error output", whole_lines(text))
            case HasErrorOutput(text):
                return Check(
                    broken=lambda settled: (
                        [] if self._occurs(text, facts.error_output(), settled) else [""]
                    ),
                    fact=lambda _: (
                        f"The error output has no {text!r}; it is "
                        f"{shorten(facts.error_output()) or 'empty'}."
                    ),
                    hint=self._make.advice(),
                    badge=always(f"should be {text!r}"),
                )
            case HasOutput(text):
                return Check(
                    broken=lambda settled: (
                        [] if self._occurs(text, facts.output(), settled) else [""]
                    ),
                    fact=lambda _: self._other_output(self._named(text)),
                    hint=self._make.advice(),
                    badge=always(f"should be {text!r}"),
                )
            case _:
                assert_never(expected)

    def _other_line(self, name: str, wanted: str) -> str:
        line, who = self._facts.line_read(name), self._explainer.who(name)
        instead = f"instead of {wanted!r}" if wanted else "instead of the end of file"
        if line is None:
            return f"{who} has read nothing yet {instead}: it waits for a line, and for the end of file."
        return f"{who} has {f'read {line!r}' if line else 'found the end of file'} {instead}."

    def _occurs(self, text: str, written: str, settled: Settled | None) -> bool:
        """Raises ActorLostError at rest if it asks for the pid of one that is not there."""
        there = self._facts.play.is_there
        if settled is None and not all(map(there, PID_OF.findall(text))):
            return False
        return self._named(text) in written

    def _named(self, text: str) -> str:
        """A text with the pids that it asks for: {pid of sleepy}, as the subject knows it."""
        return PID_OF.sub(lambda match: str(self._facts.play.pid_inside(match[1])), text)

    def _written(
        self,
        written: Callable[[], str],
        what: str,
        wanted: str,
        ordered: Callable[[str], str] = str,
    ) -> Check:
        return Check(
            broken=lambda _: [] if ordered(written()) == ordered(self._named(wanted)) else [""],
            fact=lambda _: differing(
                what, self._named(wanted), written(), in_any_order=ordered is not str
            ),
            hint=always(""),
            badge=always(f"should write {wanted!r}"),
        )

    def _other_output(self, wanted: str) -> str:
        output = shorten(self._facts.output()) or "empty"
        return f"The output has no {wanted!r}; it is {output}."


def _sorted_lines(text: str) -> str:
    return "".join(sorted(text.splitlines(keepends=True)))
