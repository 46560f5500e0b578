"""What real systemd did, our manager does as well: the whole of it, with its keepers, processes and sockets, below the
lens, where waiting costs nothing (in virtual time a play of minutes takes a fraction of a second).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from comparing import differences
from facts import Record, facts, records, versions
from verdicts import verdicts

from forklab.lens.record import CannotTraceError, Limits, record

HERE = Path(__file__).parent
FACTS = {fact.name: fact for fact in facts()}
# One of each kind: failures, time limits, orders, notifications (one by who is quicker than the report of its pid),
# daemons, restarts, words, files, the command.
SAMPLE = (
    "requires-after-failed",
    "bindsto-other-dies",
    "stop-sequence",
    "killmode-mixed",
    "notify-never",
    "restart-on-abnormal-timeout",
    "forking-pidfile-late",
    "start-limit",
    "variables",
    "dropin-levels",
    "instances-enabled",
    "changed-while-nobody-needs-it",
    "trees-of-dependencies",
    "list-units-of-all-kinds",
    "journal-priorities",
    "journal-since-and-until",
)


# Played in the simulated world alone.
ELSEWHERE = {
    "restart-matrix": "84 services at once take the lens minutes",
    "hundred-units": "so do a hundred",
    "bound-to-who-is-skipped": "who is stopped at once may have begun by then, or not: a race",
    "forking-pidfile-relative": "/run is the machine's own here, and a folder of the test's is not below it",
}


@pytest.fixture(scope="session")
def act(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripted service."""
    program = tmp_path_factory.mktemp("act") / "act"
    source = HERE / "oracle" / "act.c"
    subprocess.run(["cc", "-std=gnu11", "-O1", "-static", "-o", program, source], check=True)
    return program


def played(act: Path, folder: Path, names: list[str]) -> dict[str, Record]:
    """What our manager does with these facts."""
    out = folder / "records.json"
    program = [sys.executable, str(HERE / "our_manager.py"), str(act), str(out), *names]
    try:
        recording = record(program, limits=Limits(processor_seconds=300))
    except CannotTraceError as refusal:
        pytest.skip(str(refusal))
    assert recording.status == 0, recording.ended_early or recording.output[-2000:]
    return {name: Record(**each) for name, each in json.loads(out.read_text()).items()}


@cache
def recorded(name: str) -> list[Record]:
    return [found[name] for found in map(records, versions()) if name in found]


def wrong(ours: dict[str, Record]) -> dict[str, list[str]]:
    """What is not as the verdicts say."""
    found = {}
    for name, each in ours.items():
        differs = differences(each, recorded(name))
        verdict, _ = verdicts().of(name)
        if differs and verdict == "same":
            found[name] = differs
        if not differs and verdict == "different":
            found[name] = ["it is the same: verdicts.toml says otherwise"]
    return found


def test_a_sample_of_the_facts_is_so_here(act: Path, tmp_path: Path) -> None:
    assert not wrong(played(act, tmp_path, list(SAMPLE)))


@pytest.mark.slow
@pytest.mark.parametrize("topic", sorted({fact.topic for fact in FACTS.values()}))
def test_all_facts_of_a_topic_are_so_here(act: Path, tmp_path: Path, topic: str) -> None:
    if os.getuid():
        pytest.skip("only root can give processes to other users, and the records are root's")
    left_out = verdicts().not_meant.keys() | ELSEWHERE.keys()
    meant = [n for n, fact in FACTS.items() if fact.topic == topic and n not in left_out]
    if meant:
        assert not wrong(played(act, tmp_path, meant))


def test_a_difference_is_noticed() -> None:
    """The measure itself: a record is the same as itself, and each change of it is a difference."""
    one = records(versions()[0])["stop-sequence"]
    assert not differences(one, [one])
    changed = {
        "statuses": [1, 0],
        "end": {"ta.service": "loaded/failed/failed/timeout/0"},
        "log": [*one.log[1:], one.log[0]],
    }
    for key, value in changed.items():
        assert differences(Record(**{**vars(one), key: value}), [one]), key
    assert differences(Record(**{**vars(one), "log": one.log[:-1], "times": one.times[:-1]}), [one])


def test_what_happens_at_one_instant_has_no_order() -> None:
    """On a busy machine the first of many that start at once is long before the last one, in each recording."""

    def one(*lines: tuple[int, str]) -> Record:
        return Record([], [], [], {}, [line for _, line in lines], [at for at, _ in lines], [])

    recorded = [one((0, "a start"), (300, "b start"))]
    assert not differences(one((0, "b start"), (10, "a start")), recorded)
    assert differences(one((0, "b start"), (200, "a start")), recorded)
