"""The journal's records: whole or known not to be, whatever happens to the disk."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from forklab.ctl.journal import Filter, Reader, line, main, printable
from forklab.ctl.moments import moment
from forklab.services.journal import Journal, Record, latest, put_aside, read, whole


def record(number: int, **more: object) -> Record:
    return Record(1000.0 + number, "web.service", f"line {number}", **more)  # type: ignore[arg-type]


def texts(path: Path) -> list[str]:
    return [each.text for each in whole(path)]


def test_a_record_comes_back_as_it_was(tmp_path: Path) -> None:
    odd = Record(1.5, "a@b.service", 'ä "\\ \udc80 \x1b[2J', 7, 3, {"is": "Kill", "signal": 9})
    journal = Journal(tmp_path / "j")
    journal.write(odd, record(1))
    assert whole(tmp_path / "j") == [odd, record(1)]


@pytest.mark.parametrize("cut", [2, 9, 40])
def test_what_a_crash_cut_off_costs_one_record(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "j"
    Journal(path).write(record(1), record(2))
    path.write_bytes(path.read_bytes()[:-cut])
    Journal(path).write(record(3))
    assert texts(path) == ["line 1", "line 3"]
    assert [found is None for found, _ in read(path)] == [False, True, False]


def test_a_byte_that_was_changed_costs_one_record(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).write(record(1), record(2))
    path.write_bytes(path.read_bytes().replace(b"line 1", b"line 7"))
    assert texts(path) == ["line 2"]


def test_a_last_line_without_its_end_may_be_just_being_written(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path).write(record(1), record(2))
    path.write_bytes(path.read_bytes()[:-1])
    assert [found for found, _ in read(path)] == [record(1)]


@pytest.fixture
def full_disk() -> Iterator[None]:
    """No file grows beyond 2000 bytes: as on a full disk, the write that would is cut, and the next one refused."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_on_a_full_disk_what_is_lost_is_counted_and_said(tmp_path: Path, full_disk: None) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    for number in range(50):
        journal.write(record(number))
    kept = texts(path)
    assert kept == [f"line {number}" for number in range(len(kept))] and 10 < len(kept) < 50
    os.truncate(path, 0)  # somebody makes room
    journal.write(record(50))
    assert texts(path)[-2:] == [
        f"{50 - len(kept)} records could not be written: File too large",
        "line 50",
    ]


def test_of_many_records_at_once_those_that_were_lost_are_counted(
    tmp_path: Path, full_disk: None
) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.write(*map(record, range(50)))
    kept = len(texts(path))
    os.truncate(path, 0)
    journal.write(record(50))
    assert texts(path)[0].startswith(f"{50 - kept} records could not be written: ")


def test_records_wait_for_each_other_but_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path)
    journal.add(record(0))
    journal.add(record(1))
    assert texts(path) == []
    journal.flush()
    assert texts(path) == ["line 0", "line 1"]
    journal.add(record(2))
    journal.add(replace(record(3), text="x" * 300_000))  # too much to lose, if we are killed
    assert len(texts(path)) == 4
    journal.add(record(4))
    journal.close()
    assert len(texts(path)) == 5


def test_the_form_is_that_of_json() -> None:
    one = replace(record(1), text='ü"\\\n\x1b\udcff\u2028\x7f', unit='"', event={"is": "ä"})
    form = json.dumps(vars(one), ensure_ascii=False)
    assert one.line()[9:] == form.encode(errors="surrogateescape") + b"\n"


def test_a_long_file_is_put_aside_once(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path, longest=400)
    for number in range(30):
        journal.write(record(number))
    kept = texts(path)
    assert kept == [f"line {number}" for number in range(30 - len(kept), 30)]
    assert put_aside(path).stat().st_size < 600 > path.stat().st_size


def test_who_follows_misses_nothing_when_the_file_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "j"
    journal = Journal(path, longest=400)
    journal.write(record(0))
    reader = Reader(path)
    seen = [each.text for each in reader.more()]
    for number in range(1, 30):
        journal.write(record(number))
        seen += [each.text for each in reader.more()]
    assert seen == [f"line {number}" for number in range(30)]


def test_the_latest_are_those_at_the_end(tmp_path: Path) -> None:
    Journal(tmp_path / "j").write(*map(record, range(9)))
    assert [each.text for each in latest(tmp_path / "j")] == [f"line {n}" for n in range(9)]


def test_who_reads_chooses_by_unit_priority_and_time() -> None:
    urgent = record(1, priority=3)
    assert Filter(units=("web.service",)).wants(urgent)
    assert Filter(units=("w*",)).wants(urgent)
    assert not Filter(units=("db.service",)).wants(urgent)
    assert Filter(priorities=range(4)).wants(urgent)
    assert not Filter(priorities=range(3)).wants(urgent)
    assert not Filter(since=1002.0).wants(urgent)
    assert not Filter(until=1000.0).wants(urgent)
    event = Record(1.0, "web.service", "", event={"is": "State"})
    assert not Filter().wants(event)
    assert Filter(events=True, priorities=range(2)).wants(event)


def test_a_service_cannot_write_on_a_terminal() -> None:
    assert printable("tab\tand ü") == "tab\tand ü"
    assert printable("\x1b[2Jgone") == "[8B blob data]"


def test_json_has_the_names_of_journald() -> None:
    assert line(record(1, pid=5, priority=4), "json") == (
        '{"__REALTIME_TIMESTAMP": "1001000000", "_SYSTEMD_UNIT": "web.service", "PRIORITY": "4",'
        ' "MESSAGE": "line 1", "_PID": "5"}'
    )


NOON = moment("2026-11-30 12:00", 0.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("now", 0),
        ("5 min ago", -300),
        ("-1h 30min", -5400),
        ("+10", 10),
        ("11:59:30", -30),
        ("11:00", -3600),
        ("today", -12 * 3600),
        ("yesterday", -36 * 3600),
        ("2026-11-30", -12 * 3600),
        (f"@{NOON}", 0),
    ],
)
def test_moments_are_written_as_people_do(text: str, seconds: float) -> None:
    assert moment(text, NOON) == NOON + seconds


@pytest.mark.parametrize("text", ["", "noon", "25:00", "5 parsecs ago", "2026-13-01"])
def test_what_is_no_moment_is_named(text: str) -> None:
    with pytest.raises(ValueError):
        moment(text, NOON)


@pytest.mark.parametrize("option", ["-S", "--since"])
def test_a_span_that_begins_with_a_minus_is_no_option(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    path = tmp_path / "j"
    Journal(path).write(record(1), replace(record(2), time=time.time()))
    assert main(["--file", str(path), "-o", "cat", option, "-1h"]) == 0
    assert capsys.readouterr().out == "line 2\n"
