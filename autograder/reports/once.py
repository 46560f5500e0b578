"""No sentence twice on one page: who makes the same mistake in ten scenarios is told once, and where that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass
class Once:
    """Remembers what was said, and at which scenario."""

    _said: dict[str, str] = field(default_factory=dict)

    def fresh(self, message: str, scenario: str) -> tuple[str, str]:
        """A message without those sentences that were said before, and the first scenario at which one of them was.

        The second is empty if all of it is new. Quotations, indented or after an empty line, are said once as a whole.
        """
        prose, gap, quotation = message.strip("\n").partition("\n\n")
        earlier: list[str] = []
        lines = [
            " ".join(self._new(_sentences(line), scenario, earlier)) for line in prose.split("\n")
        ]
        quoted = self._new([quotation] if quotation else [], scenario, earlier)
        kept = "\n".join(line for line in lines if line.strip())
        return kept + "".join(f"{gap}{words}" for words in quoted), next(iter(earlier), "")

    def _new(self, sentences: list[str], scenario: str, earlier: list[str]) -> list[str]:
        fresh = []
        for sentence in sentences:
            first = self._said.setdefault(sentence, scenario)
            if first != scenario:
                earlier.append(first)
            else:  # what is expected and what was written may have lines in common
                fresh.append(sentence)
        return fresh


def _sentences(line: str) -> list[str]:
    return [line] if line.startswith((" ", "\t")) else re.split(r"(?<=[.!?]) ", line)
