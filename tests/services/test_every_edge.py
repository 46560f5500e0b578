"""No schedule of the manager's edge loses a death, a notification or a job: the real one, with one and two services.

What can come between two looks of the manager at the world is all tried (`edge`), whoever is quick. Mistakes that lose
something in one order of many are found for certain.
"""

from __future__ import annotations

import inspect
import textwrap
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from edge import Edge, Found

from forklab.services import hands, run, wards


class Play(NamedTuple):
    """What processes do, and what may come at any moment.

    `ends`: all that the manager can tell, line by line the unit's letter and the first word; and who is up in the end.
    """

    units: dict[str, str]
    scripts: dict[str, list[str]]
    ends: set[str]
    may: str = ""


def service(*lines: str, unit: str = "") -> str:
    return "\n".join(["[Unit]", unit, "[Service]", "ExecStart=/bin/true", *lines, ""])


NOTIFY = service("Type=notify")
A = {"a.service": NOTIFY}
AFTER_A = service("Type=notify", unit="Requires=a.service\nAfter=a.service")
ONESHOT = service("Type=oneshot", unit="ConditionPathExists=/")
ONE_AFTER_THE_OTHER = {"a.service": ONESHOT, "b.service": AFTER_A}

UP = "a:Starting a:Started"
DIES, RETURNS = "a:Main a:Failed", "a:Scheduled a:Stopped"
STOPS = "a:Deactivated a:Stopped"
IS_STOPPED = f"a:Stopping {STOPS}"
IS_KILLED = "a:State a:Main a:Failed a:Stopped"
B_STOPS = "b:Deactivated b:Stopped"
LOSES_ITS_KEEPER = "a:The a:Main a:Failed"

PLAYS = {
    "it announces itself and dies": Play(A, {"a": ["status ready exit=3"]}, {f"{UP} {DIES} |"}),
    "a command comes before it": Play(
        {"a.service": service("Type=notify", "ExecStartPre=/bin/true")},
        {"a": ["exit=0", "ready wait"]},
        {f"{UP} | a"},
    ),
    "it comes back": Play(
        {"a.service": service("Type=notify", "Restart=on-failure")},
        {"a": ["ready exit=3", "ready wait"]},
        {f"{UP} {DIES} {RETURNS} {UP} | a"},
    ),
    "one after the other": Play(
        ONE_AFTER_THE_OTHER,
        {"a": ["exit=0"], "b": ["ready wait"]},
        {"a:Starting a:Deactivated a:Finished b:Starting b:Started | b"},
    ),
    "one after the other, which fails": Play(
        ONE_AFTER_THE_OTHER,
        {"a": ["exit=1"], "b": []},
        {f"a:Starting {DIES} a:Failed b:Dependency b:Job |"},
    ),
    "it has to leave": Play(
        A,
        {"a": ["ready wait"]},
        {f"a:Starting {STOPS} |", f"{UP} {IS_STOPPED} |"},
        "leave",
    ),
    "it has to leave while one comes back": Play(
        {"a.service": service("Restart=always")},
        {"a": ["exit=0", "wait"]},
        {
            f"a:Started {STOPS} |",
            f"a:Started {IS_STOPPED} |",
            f"a:Started a:Deactivated {RETURNS} a:Started {IS_STOPPED} |",
        },
        "leave",
    ),
    "it has to leave, and one is deaf": Play(
        {"a.service": service("Type=exec", "TimeoutStopSec=5")},
        {"a": ["deaf"]},
        {
            f"a:Starting {STOPS} |",
            f"a:Starting {IS_KILLED} |",
            f"{UP} a:Stopping {IS_KILLED} |",
        },
        "leave",
    ),
    "two have to be stopped in order": Play(
        {"a.service": NOTIFY, "b.service": AFTER_A},
        {"a": ["ready wait"], "b": ["ready wait"]},
        {
            f"a:Starting {STOPS} |",
            f"{UP} b:Starting {B_STOPS} {IS_STOPPED} |",
            f"{UP} b:Starting b:Started b:Stopping {B_STOPS} {IS_STOPPED} |",
        },
        "leave",
    ),
    "a keeper is killed": Play(
        A,
        {"a": ["ready wait"]},
        {f"{UP} {LOSES_ITS_KEEPER} |", f"a:Starting {LOSES_ITS_KEEPER} a:Failed |"},
        "kill",
    ),
    "a keeper is killed, and its service comes back": Play(
        {"a.service": service("Restart=on-failure")},
        {"a": ["exit=3", "wait", "wait"]},
        {
            f"a:Started {LOSES_ITS_KEEPER} {RETURNS} a:Started | a",
            f"a:Started {LOSES_ITS_KEEPER} {RETURNS} a:Started {DIES} {RETURNS} a:Started | a",
            f"a:Started {DIES} {RETURNS} a:Started {LOSES_ITS_KEEPER} {RETURNS} a:Started | a",
            f"a:Started {DIES} a:The {RETURNS} a:Started | a",
            # It is dead already when it is to kill who is left; its own end is heard a moment later.
            f"a:Started a:Main a:The a:The a:Failed a:The {RETURNS} a:Started | a",
        },
        "kill",
    ),
}


def explored(patch: pytest.MonkeyPatch, folder: Path, play: Play) -> Found:
    scripts = {f"{name}.service": each for name, each in play.scripts.items()}
    wanted = [max(play.units)]
    return Edge(patch, folder).explore(play.units, wanted, scripts, play.may)


def story(told: tuple[str, ...], left: tuple[str, ...]) -> str:
    """What a play has as its ends; also whatever is lost."""
    lines = (line.split(": ", 1) for line in told if not line.startswith(":"))
    words = [f"{unit[0]}:{text.split()[0]}" for unit, text in lines]
    return " ".join([*words, "|", *(each.removesuffix(".service") for each in left)])


@pytest.mark.parametrize("name", PLAYS)
def test_nothing_is_lost(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    found = explored(monkeypatch, tmp_path, PLAYS[name])
    assert {story(*each) for each in found.ends} == PLAYS[name].ends


@pytest.mark.slow
def test_of_two_at_once_each_goes_its_own_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    units = {"a.service": NOTIFY, "b.service": service("Restart=on-failure")}
    both = {**units, "t.target": "[Unit]\nWants=a.service b.service\n"}
    scripts = {"a": ["ready exit=3"], "b": ["exit=1", "wait"]}
    found = explored(monkeypatch, tmp_path, Play(both, scripts, set()))
    stories = {
        (unit, " ".join(word for word in story(*each).split() if word.startswith(f"{unit}:")))
        for each in found.ends
        for unit in "ab"
    }
    assert stories == {
        ("a", f"{UP} {DIES}"),
        ("b", "b:Started b:Main b:Failed b:Scheduled b:Stopped b:Started"),
    }
    assert {left for _, left in found.ends} == {("b.service", "t.target")}


class Mistake(NamedTuple):
    """In a method of the edge; and the play that shows it."""

    module: Any
    method: str
    find: str
    replace: str
    play: str


MISTAKES = {
    "what was announced before an end is not heard before it": Mistake(
        wards,
        "Ward._ended",
        "range(_MOST_ANNOUNCEMENTS)",
        "range(0)",
        "it announces itself and dies",
    ),
    "who announces itself before its pid is known is a stranger": Mistake(
        wards,
        "Ward._announce",
        "while self._ordered and self.report():",
        "while False:",
        "it announces itself and dies",
    ),
    "that the program was found is not told": Mistake(
        wards,
        "Ward.report",
        'case ["executed", "main"]:',
        'case ["executed", "none"]:',
        "it has to leave, and one is deaf",
    ),
    "the deeds of a step are done backwards": Mistake(
        hands, "Hands._take", "*reversed(deeds)", "*deeds", "it comes back"
    ),
    "what happens while something is done is lost": Mistake(
        hands,
        "Hands.happens",
        "self._to_do.append(event)\n",
        "if not self._is_busy: self._to_do.append(event)\n",
        "one after the other",
    ),
    "one signal, one death": Mistake(
        hands,
        "Hands.collect",
        "    self._see_to_orphans()",
        "        break\n    self._see_to_orphans()",
        "a keeper is killed, and its service comes back",
    ),
    "orphans of a keeper are left alone": Mistake(
        hands, "Hands._see_to_orphans", "not self._kill_orphans()", "True", "a keeper is killed"
    ),
    "what a keeper has told before it was killed does not count": Mistake(
        hands,
        "Hands._keeper_ended",
        "while ward.report():",
        "while False:",
        "a keeper is killed, and its service comes back",
    ),
    "who was told to leave does not hear of deaths": Mistake(
        run,
        "_Rule._listen_to_signals",
        "self._hands.collect()",
        "self._control.leaving or self._hands.collect()",
        "it has to leave while one comes back",
    ),
    "nobody waits for those who stop": Mistake(
        run,
        "_Rule.rule",
        "while self._is_needed() and not self._is_hurried:",
        "while False:",
        "it has to leave",
    ),
    "a keeper whose service has ended is not let go": Mistake(
        hands,
        "Hands._needs_no_keeper",
        "now.empty and",
        "False and",
        "it announces itself and dies",
    ),
    "an end is put aside, as if the daemon went on as another process": Mistake(
        wards, "Ward._ended", "or self._adopting", "or not self._ordered", "it comes back"
    ),
    "that nobody was left of an earlier command counts": Mistake(
        wards, "Ward.report", " if int(runs) == self.keeper.runs", "", "a command comes before it"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, mistake: str) -> None:
    module, method, find, replace, name = MISTAKES[mistake]
    owner, _, function = method.partition(".")
    text = textwrap.dedent(inspect.getsource(getattr(getattr(module, owner), function)))
    assert text.count(find) == 1
    made: dict[str, Any] = {}
    exec(text.replace(find, replace), vars(module), made)
    monkeypatch.setattr(getattr(module, owner), function, made[function])
    found = explored(monkeypatch, tmp_path, PLAYS[name])
    assert {story(*each) for each in found.ends} != PLAYS[name].ends
