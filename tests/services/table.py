"""The table of docs/systemd.md: every fact, and whether it is so here as well.

python table.py    writes it anew, between the two marks in the document
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from facts import Fact, facts, full_version, versions
from verdicts import verdicts

DOCUMENT = Path(__file__).parents[2] / "docs" / "systemd.md"
BEGIN, END = "<!-- facts: made by tests/services/table.py -->\n", "<!-- end of facts -->\n"

# In the order in which one learns them.
TOPICS = {
    "words": "Words of a unit file",
    "specifiers": "Specifiers",
    "environment": "The environment",
    "types": "Types of services",
    "commands": "The way up and the way down: commands",
    "execution": "What a process finds",
    "forking": "Daemons that fork",
    "notify": "Daemons that tell",
    "kill": "How services are ended",
    "restart": "Restarts and limits",
    "dependencies": "Who needs whom",
    "ordering": "Who comes after whom",
    "cycles": "Circles",
    "targets": "Targets",
    "conditions": "Conditions and assertions",
    "drop-ins": "Drop-ins",
    "templates": "Templates and instances",
    "install": "What comes up by itself: enable and mask",
    "daemon-reload": "Changed files",
    "ctl": "The command",
    "journal": "The journal",
    "scale": "Many units",
    "other-units": "Other kinds of units",
}


def section() -> str:
    """All between the marks."""
    everything = facts()
    assert {fact.topic for fact in everything} == TOPICS.keys()
    return "\n".join([*_summary(everything), *_topics(everything)])


def _summary(everything: list[Fact]) -> Iterator[str]:
    counts = {
        topic: _count([fact for fact in everything if fact.topic == topic]) for topic in TOPICS
    }
    same, different, not_meant = map(sum, zip(*counts.values(), strict=True))
    meant = same + different
    played = " and ".join(map(full_version, versions()))
    yield f"{len(everything)} facts, recorded from {played}."
    yield f"{not_meant} are about what this manager does not want to be."
    yield f"Of the other {meant}, **{same} are the same: {same / meant:.1%}**."
    yield ""
    yield "| | same | different | not meant |"
    yield "|---|--:|--:|--:|"
    for topic, count in counts.items():
        anchor = TOPICS[topic].lower().replace(" ", "-").replace(":", "").replace(",", "")
        yield f"| [{TOPICS[topic]}](#{anchor}) | {' | '.join(str(each or '') for each in count)} |"
    yield f"| all | {same} | {different} | {not_meant} |"
    yield ""


def _count(some: list[Fact]) -> tuple[int, int, int]:
    words = [verdicts().of(fact.name)[0] for fact in some]
    return words.count("same"), words.count("different"), words.count("not meant")


def _topics(everything: list[Fact]) -> Iterator[str]:
    for topic, title in TOPICS.items():
        yield f"### {title}"
        yield ""
        yield f"[tests/services/facts/{topic}.toml](../tests/services/facts/{topic}.toml)"
        yield ""
        yield "| what is so in systemd | fact | here |"
        yield "|---|---|---|"
        for fact in everything:
            if fact.topic == topic:
                word, why = verdicts().of(fact.name)
                here = f"{word}: {why}" if why else word
                yield f"| {_cell(fact.says)} | `{fact.name}` | {_cell(here)} |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def with_section(document: str) -> str:
    """The document with the table of today."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{section()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_section(DOCUMENT.read_text()))
    print(f"{DOCUMENT} is up to date", file=sys.stderr)
