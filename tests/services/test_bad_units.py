"""Whatever is in a unit file: it is named with file and line, nothing else suffers, and it is quick."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forklab.services import life
from forklab.services.folder import Folders
from forklab.services.graph import Graph, Job, Kind, RefusedError, awaited, transaction
from forklab.services.life import Say
from forklab.services.manager import (
    Deed,
    Event,
    Finished,
    GoOn,
    Happened,
    Leave,
    Manager,
    Request,
    step,
)
from forklab.services.unit import Load, Relation

GOOD = "[Service]\nExecStart=/bin/true\n"


def read(folder: Path, name: str, text: str | bytes) -> tuple[Load, list[str]]:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    unit, problems = Folders([folder]).read(name)
    return unit.load, [str(each).removeprefix(f"{folder}/") for each in problems]


def test_who_would_leave_processes_behind_is_named(tmp_path: Path) -> None:
    load, problems = read(tmp_path, "a.service", f"{GOOD}KillMode=none\n")
    assert load is Load.LOADED
    assert problems == [
        "a.service:3: KillMode=none is unsafe: whoever does not end by itself stays behind, and nobody knows of it"
    ]


def test_binary_junk_is_named_line_by_line(tmp_path: Path) -> None:
    junk = random.Random(1).randbytes(20_000)
    load, problems = read(tmp_path, "a.service", junk)
    assert load is Load.ERROR
    assert problems
    assert all(each.startswith("a.service:") for each in problems[:-1])


def test_a_bad_line_spoils_no_other(tmp_path: Path) -> None:
    load, problems = read(
        tmp_path,
        "a.service",
        "[Unit]\nnothing\nDescripton=x\n[Service]\nTimeoutSec=soon\nRestart=sometimes\nKillSignal=SIGNAL\n"
        "Requires=b.service\nExecStart=/bin/true\nRemainAfterExit=ja\nRemainAfterExit=\nEnvironment=1X=2 A=b\n",
    )
    assert load is Load.LOADED
    assert problems == [
        "a.service:2: 'nothing' is no KEY=VALUE and is ignored",
        "a.service:3: Descripton= is no key of [Unit]; did you mean Description=?",
        "a.service:5: TimeoutSec=: 'soon' is no span of time, as 90 or 1min 30s; it is ignored",
        "a.service:6: Restart=: 'sometimes' is none of no, always, on-success, on-failure, on-abnormal, on-abort,"
        " on-watchdog; it is ignored",
        "a.service:7: KillSignal=: 'SIGNAL' is no signal; it is ignored",
        "a.service:8: Requires= is no key of [Service]; it belongs to [Unit]",
        "a.service:10: RemainAfterExit=: 'ja' is neither yes nor no; it is ignored",
        "a.service:11: RemainAfterExit=: an empty value says nothing; it is ignored",
        "a.service:12: Environment=: '1X=2' is no NAME=VALUE; it is ignored",
    ]


@pytest.mark.parametrize(
    "line", ["ExecCondition=/bin/true", "SendSIGHUP=yes", "RuntimeMaxSec=1", "RestartMode=direct"]
)
def test_what_systemd_knows_and_nobody_follows_here_is_no_slip_of_the_pen(
    tmp_path: Path, line: str
) -> None:
    load, problems = read(tmp_path, "a.service", f"{GOOD}{line}\n")
    assert load is Load.LOADED
    key = line.partition("=")[0]
    assert problems == [f"a.service:3: {key}= is not followed here: it is ignored"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("[Service]\nProtectSytem=full", "no key of [Service]; did you mean ProtectSystem=?"),
        ("[Service]\nLimitNOFILES=1", "no key of [Service]; did you mean LimitNOFILE=?"),
        ("[Unit]\nConditionPathExist=/x", "no key of [Unit]; did you mean ConditionPathExists=?"),
        ("[Unit]\nPrivateTmp=yes", "no key of [Unit]; it belongs to [Service]"),
        ("[Service]\nConditionUser=root", "no key of [Service]; it belongs to [Unit]"),
        ("[Unit]\nAfter=b", "After=: 'b' is no name of a unit: did you mean b.service?; it is"),
        ("[Unit]\nWants=b,c.service", "no name of a unit: it has letters, digits and :-_.\\@ only"),
        ("[Unit]\nStartLimitBurst=many", "'many' is no number; it is ignored"),
        (
            "[Service]\nExecStop=/bin/echo a > /b",
            "ExecStop=: '>' is an argument: no shell reads this",
        ),
        ("[Service]\nType=dbus", "Type=: 'dbus' is not followed here; it is ignored"),
        ("[Service]\nType=simpel", "idle (did you mean simple?); it is ignored"),
    ],
)
def test_what_systemd_would_ignore_is_named(tmp_path: Path, lines: str, words: str) -> None:
    load, (problem,) = read(tmp_path, "a.service", f"{GOOD}{lines}\n")
    assert load is Load.LOADED and words in problem
    assert problem.startswith("a.service:4: ")


def test_a_name_with_its_kind_is_one_of_a_unit(tmp_path: Path) -> None:
    names = r"b.service dev-sda.device x@y.service a\x2db.mount home.automount t@.service"
    assert read(tmp_path, "a.service", f"{GOOD}[Unit]\nAfter={names}\n")[1] == []


def test_a_mark_that_some_editors_begin_with_is_no_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a.service", b"\xef\xbb\xbf" + GOOD.encode()) == (Load.LOADED, [])


def test_a_file_that_nobody_could_name_is_named(tmp_path: Path) -> None:
    (tmp_path / "a b.service").write_text(GOOD)
    (tmp_path / "notes.txt").write_text("no unit")
    units, (problem,) = Folders([tmp_path]).ours()
    assert not units
    assert str(problem).startswith(f"{tmp_path}/a b.service: 'a b.service' is no name of a unit: ")


def test_a_circle_is_named_with_the_lines_that_close_it(tmp_path: Path) -> None:
    for name, text in {
        "a.service": f"[Unit]\nRequires=c.service\nAfter=b.service\n{GOOD}",
        "b.service.d/more.conf": "[Unit]\nAfter=c.service\n",
        "b.service": GOOD,
        "c.service": f"{GOOD}[Unit]\nRequires=b.service\nBefore=x.service\nAfter=a.service\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "other.service").symlink_to("b.service")
    (tmp_path / "a.service").write_text(
        (tmp_path / "a.service").read_text().replace("b.", "other.")
    )
    units, _ = Folders([tmp_path]).everything()
    with pytest.raises(RefusedError) as refused:
        transaction(Graph.of(units), {}, {}, Job("a.service", Kind.START))
    assert str(refused.value) == (
        "Transaction order is cyclic: a.service after b.service after c.service after a.service"
        " (a.service:3: After=b.service; b.service.d/more.conf:2: After=c.service;"
        " c.service:6: After=a.service)."
    )


def test_what_confines_is_accepted_and_said_so(tmp_path: Path) -> None:
    keys = ("ProtectSystem", "PrivateTmp", "LimitNOFILE", "MemoryMax", "CapabilityBoundingSet")
    load, problems = read(tmp_path, "a.service", GOOD + "".join(f"{key}=1\n" for key in keys))
    assert load is Load.LOADED
    assert [each.partition(": ")[2] for each in problems] == [
        f"{key}= is accepted, and does nothing here" for key in keys
    ]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("ExecStart='open", "a.service:2: a ' is not closed: the unit cannot be started"),
        ("ExecStart=./x", "neither an absolute path nor the name of a program"),
        ("ExecStart=/x %z", "'%z' is no specifier: the unit cannot be started"),
        ("ExecStart=-", "neither an absolute path nor the name of a program"),
        ("ExecStart=@/x", "@ wants the name that the program gets as its argument 0"),
        ("Type=simple", "it has no ExecStart="),
        ("RemainAfterExit=yes", "it has neither ExecStart= nor ExecStop="),
    ],
)
def test_half_a_command_is_none(tmp_path: Path, line: str, words: str) -> None:
    load, problems = read(tmp_path, "a.service", f"[Service]\n{line}\n")
    assert load is Load.BAD_SETTING
    assert any(words in each for each in problems)


def test_a_hundred_thousand_lines_are_read(tmp_path: Path) -> None:
    text = "[Service]\n" + "Nonsense=1\n" * 90_000 + "ExecStart=/bin/true\n"
    load, problems = read(tmp_path, "a.service", text)
    assert load is Load.LOADED
    assert len(problems) == 90_000
    assert problems[-1].startswith("a.service:90001: ")


def test_a_line_that_is_continued_for_ever_is_one_line(tmp_path: Path) -> None:
    load, problems = read(
        tmp_path, "a.service", "[Service]\nExecStart=/bin/true" + " \\\n x" * 50_000
    )
    assert load is Load.LOADED
    assert not problems


def test_what_cannot_be_read_at_all_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.service").mkdir()
    (tmp_path / "b.service").symlink_to("b.service")
    os.mkfifo(tmp_path / "c.service")
    (tmp_path / "d.service").write_bytes(b"[Service]\n" + b"#" * (8 << 20))
    units, problems = Folders([tmp_path]).everything()
    assert {each.load for each in units.values()} == {Load.BAD_SETTING}
    for name in units:
        assert any(f"{name}: cannot be read" in str(each) for each in problems), name


def test_a_unit_that_names_itself_and_links_in_a_circle(tmp_path: Path) -> None:
    relations = "".join(f"{each}=a.service\n" for each in Relation)
    read(tmp_path, "a.service", f"[Unit]\n{relations}{GOOD}")
    (tmp_path / "b.service").symlink_to("c.service")
    (tmp_path / "c.service").symlink_to("b.service")
    units, problems = Folders([tmp_path]).everything()
    assert {str(each).partition(": ")[2] for each in problems if "a.service" in str(each)} == {
        f"{each}= of itself: it is dropped" for each in Relation
    }
    manager, _ = step(Manager.of(units), Request(1, Job("a.service", Kind.START)), 0.0)
    assert manager.life("a.service").active == "active"


def test_a_thousand_units_one_after_another(tmp_path: Path) -> None:
    count = 1000
    for number in range(count):
        last = f"Requires=u{number - 1}.service\nAfter=u{number - 1}.service\n" if number else ""
        (tmp_path / f"u{number}.service").write_text(f"[Unit]\n{last}{GOOD}")
    units, problems = Folders([tmp_path]).everything()
    assert not problems
    anchor = Job(f"u{count - 1}.service", Kind.START)
    jobs, said = transaction(Graph.of(units), {}, {}, anchor)
    assert len(jobs) == count
    assert not said
    # Who asks something is answered between two steps: none of them is long, and nothing happens in between.
    done: list[Deed] = []
    event: Event | None = Request(1, anchor)
    manager = Manager.of(units)
    while event:
        manager, deeds = step(manager, event, 0.0)
        assert sum(isinstance(deed.effect, life.Run) for deed in deeds) <= 25
        assert Deed("", GoOn()) not in deeds[:-1]
        event = GoOn() if deeds[-1:] == (Deed("", GoOn()),) else None
        done += deeds
    runs = [deed.unit for deed in done if isinstance(deed.effect, life.Run)]
    assert runs == [f"u{number}.service" for number in range(count)]
    assert Deed(anchor.unit, Finished(1, "done")) in done
    assert not manager.tasks  # Type=simple: each is up as soon as it is forked


def test_a_circle_of_a_thousand_is_refused_or_broken(tmp_path: Path) -> None:
    count = 1000
    for relation, refused in (("Requires", True), ("Wants", False)):
        units = {}
        for number in range(count):
            other = f"u{(number + 1) % count}.service"
            name = f"u{number}.service"
            (tmp_path / name).write_text(f"[Unit]\n{relation}={other}\nAfter={other}\n{GOOD}")
        units, _ = Folders([tmp_path]).everything()
        try:
            jobs, said = transaction(Graph.of(units), {}, {}, Job("u0.service", Kind.START))
        except RefusedError as error:
            assert refused
            assert str(error).startswith("Transaction order is cyclic: u0.service after u1.service")
        else:
            assert not refused
            assert jobs == (Job("u0.service", Kind.START),)
            assert "Job u1.service/start deleted to break it." in said[0]


def test_of_those_who_would_wait_for_each_other_one_stops_without_waiting(tmp_path: Path) -> None:
    for name, other in (("a", "b"), ("b", "a")):
        (tmp_path / f"{name}.service").write_text(f"[Unit]\nAfter={other}.service\n{GOOD}")
    units, _ = Folders([tmp_path]).everything()
    manager = Manager.of(units)
    for name in units:
        manager, _ = step(manager, Request(1, Job(name, Kind.START)), 0.0)
    manager, deeds = step(manager, Leave(), 1.0)
    said = [deed.effect.text for deed in deeds if isinstance(deed.effect, Say)]
    assert sum("Ordering cycle: " in text for text in said) == 1
    assert sorted(task.running for task in manager.tasks.values()) == [False, True]


@pytest.mark.parametrize("kind", [Kind.START, Kind.STOP])
def test_an_event_costs_what_it_touches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: Kind
) -> None:
    """Not more, if hundreds wait for something else."""

    def looks(others: int) -> int:
        found = 0

        def counted(act: Callable[..., Any]) -> Callable[..., Any]:
            def look(*asked: Any) -> Any:
                nonlocal found
                found += 1
                return act(*asked)

            return look

        write = {f"o{n}": "After=first.service" for n in range(others)}
        for name, text in {**write, "first": "", "a": "", "b": "After=a.service"}.items():
            file = tmp_path / f"{name}.service"
            file.write_text(f"[Unit]\n{text}\n[Service]\nType=exec\nExecStart=/bin/true\n")
        units, _ = Folders([tmp_path]).everything()
        manager = Manager.of(units)
        for name in units:
            manager, _ = step(manager, Request(1, Job(name, Kind.START)), 0.0)
        event: Event = Happened("a.service", life.Executed())
        if kind is Kind.STOP:
            event = Request(2, Job("a.service", kind))
        monkeypatch.setattr("forklab.services.manager.awaited", counted(awaited))
        monkeypatch.setattr(Graph, "before", counted(Graph.before))
        manager, _ = step(manager, event, 0.0)
        monkeypatch.undo()
        assert len(manager.tasks) == others + (2 if kind is Kind.START else 3)
        return found

    assert 0 < looks(3) == looks(30)
