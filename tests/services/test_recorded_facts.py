"""What real systemd was seen to do, played on the pure core in simulated time: a fact in a few milliseconds.

Every fact that can be played without a kernel is, and comes out as it was recorded: exit statuses, states, what the
services lived through and in which order, as far as systemd promises one, and what the journal says of it.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from actors import Unplayable
from comparing import differences
from facts import Record, facts, records, versions
from playing import play
from simulated import Simulated
from verdicts import verdicts

FACTS = {fact.name: fact for fact in facts()}
RECORDS = {version: records(version) for version in versions()}
SEEN = [name for name in FACTS if any(name in found for found in RECORDS.values())]

# What the journal says otherwise, and why.
OTHER_WORDS: Mapping[str, str] = {
    "bound-both-ways": "Who has ended by itself is said to be stopped where a stop has come meanwhile.",
    "onfailure-of-itself": "Who has been started too often is not woken once more to say so.",
    "cycle-of-stops-and-one-that-ends": "As bound-both-ways.",
    "environment-file-gone-while-it-runs": "As environment-file-missing.",
    "environment-file-with-braces": "As environment-file-missing.",
    "killmode-of-a-daemon": "As killsignal-and-killmode.",
    "notify-child-takes-over": "As killsignal-and-killmode.",
    "killsignal-and-killmode": "Who has nobody to kill is said to stop, before it has stopped.",
    "environment-file-empty-and-missing": "As environment-file-missing.",
    "environment-file-missing-and-restart": "As environment-file-missing.",
    "environment-file-missing": "It is said that it starts before the file is looked for: who decides does not read.",
    "sendsigkill-no": "It is not said that it starts where it does not.",
    "restart-sec-states": "There was one restart more in the same time, as RestartSec= is a lower bound.",
}

# Lines that tell what becomes of a unit. Others name pids, files or what the kernel said; they differ by the machine.
_TOLD = re.compile(
    r"(Starting|Started|Finished|Stopping|Stopped|Reached|Reloading|Reloaded|Failed to start|Dependency failed"
    r"|Assertion failed|Reload failed) |Deactivated successfully|Failed with result|Scheduled restart"
    r"|(Main|Control) process exited|Start request repeated|Job .* failed with result"
    r"|.* timed out\.|Triggering OnFailure="
)


@cache
def played(name: str) -> Record | Unplayable:
    with tempfile.TemporaryDirectory() as folder:
        try:
            return play(FACTS[name], Simulated(Path(folder, "x")))
        except Unplayable as why:
            return why


def recorded(name: str) -> list[Record]:
    """What systemd did. What its commands print is compared by those who have real commands."""
    return [replace(found[name], words=[]) for found in RECORDS.values() if name in found]


def told(record: Record) -> Counter[str]:
    lines = (line.partition(".service: ")[2] or line for line in record.journal)
    return Counter(line for line in lines if _TOLD.match(line))


@pytest.mark.parametrize("name", SEEN)
def test_it_comes_out_as_it_was_seen(name: str) -> None:
    ours = played(name)
    if isinstance(ours, Unplayable):
        return  # it is played on the real manager
    differs = differences(replace(ours, words=[]), recorded(name))
    if verdicts().of(name)[0] != "same":
        return  # and the reason is there
    assert not differs
    said_so = any(told(ours) == told(theirs) for theirs in recorded(name))
    assert said_so is (name not in OTHER_WORDS)


def test_of_the_facts_within_our_keys_nearly_all_are_played_and_come_out_the_same() -> None:
    within = [name for name in SEEN if verdicts().of(name)[0] != "not meant"]
    same = [
        name
        for name in within
        if verdicts().of(name)[0] == "same" and not isinstance(played(name), Unplayable)
    ]
    assert len(same) > 0.85 * len(within)  # the others want a real manager
    assert len(verdicts().different) < 0.05 * len(within)
