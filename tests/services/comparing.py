"""Whether a manager did with a fact what real systemd did: a Record against Records.

What systemd does not promise is not held against anybody:

- Two lines of the log stand in an order only if they were at least `APART` from each other in every recording, and they
  come in the other one only if they are more than an `INSTANT` apart. What starts at once may come in any order: on a
  busy machine the first of many is long before the last, in each recording, and that means nothing.
- systemd forgets a unit that is inactive and that nobody refers to, and with it how it ended and how often it was
  started ("garbage collection", CollectMode= in systemd.unit(5)); when it gets round to that differs from run to run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from facts import Record

APART = 100  # ms
INSTANT = 10  # ms: to that the times of records are rounded
_FORGOTTEN = "inactive/dead/success/0"


def differences(ours: Record, recorded: Sequence[Record]) -> list[str]:
    """In words, against the recording that is nearest; none if one of them is the same."""
    return min((list(_between(ours, theirs, recorded)) for theirs in recorded), key=len)


def same_words(ours: Record, recorded: Sequence[Record]) -> bool:
    """Whether the journal says the same of the units, in whatever order."""
    return any(Counter(ours.journal) == Counter(each.journal) for each in recorded)


def _between(ours: Record, theirs: Record, recorded: Sequence[Record]) -> Iterable[str]:
    if ours.statuses != theirs.statuses:
        yield f"exit statuses {ours.statuses}, not {theirs.statuses}"
    for mine, its in zip(ours.words, theirs.words, strict=False):
        if mine != its:
            yield f"answers {mine!r}, not {its!r}"
    moments = [*zip(ours.shows, theirs.shows, strict=False), (ours.end, theirs.end)]
    for mine_of, its_of in moments:
        for unit in its_of:
            if not _same_state(mine_of.get(unit, "nothing"), its_of[unit]):
                yield f"{unit} is {mine_of.get(unit)}, not {its_of[unit]}"
    if Counter(ours.log) != Counter(theirs.log):
        yield f"log {ours.log}, not {theirs.log}"
    else:
        yield from _out_of_order(ours, [each for each in recorded if _has_lines_of(each, ours)])


def _same_state(mine: str, its: str) -> bool:
    if its.endswith(_FORGOTTEN) and "/inactive/dead/" in mine:
        return True
    return mine == its


def _has_lines_of(one: Record, other: Record) -> bool:
    return Counter(one.log) == Counter(other.log)


def _out_of_order(ours: Record, recorded: Sequence[Record]) -> Iterable[str]:
    when = dict(zip(_numbered(ours.log), ours.times, strict=True))
    always: set[tuple[str, str]] | None = None
    for each in recorded:
        timed = list(zip(_numbered(each.log), each.times, strict=True))
        pairs = {(a, b) for a, at in timed for b, later in timed if later - at >= APART}
        always = pairs if always is None else always & pairs
    for first, second in sorted(always or ()):
        if when[first] - when[second] > INSTANT:
            yield f"{second!r} comes before {first!r}"
            return


def _numbered(lines: Iterable[str]) -> list[str]:
    """Lines that can be told apart: the second `a start` is another one than the first."""
    seen: Counter[str] = Counter()
    numbered = []
    for line in lines:
        seen[line] += 1
        numbered.append(f"{line} ({seen[line]})" if seen[line] > 1 else line)
    return numbered
