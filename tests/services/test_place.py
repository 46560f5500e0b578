"""Where a manager is: a folder of its own, and nothing of it afterwards."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest
from managed import until

from forklab.services.place import PlaceError, claimed, usual_place


def test_the_folder_and_all_that_was_made_in_it_go(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with claimed(place):
        for name in ("notify.1", "journal", "journal.old", "control"):
            (place / name).touch()
        assert place.stat().st_mode & 0o777 == 0o700
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays_with_what_is_not_ours(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "letter").touch()
    with claimed(tmp_path):
        (tmp_path / "journal").touch()
    assert [each.name for each in tmp_path.iterdir()] == ["letter"]


def test_two_managers_cannot_share_it(tmp_path: Path) -> None:
    place = tmp_path / "run"
    with claimed(place), socket.socket(socket.AF_UNIX) as control:
        control.bind(str(place / "control"))
        control.listen()
        with pytest.raises(PlaceError, match=r"has .* already"):
            claimed(place).__enter__()


def test_what_a_killed_manager_has_left_is_waited_for(tmp_path: Path) -> None:
    """Somebody has the lock, and nobody answers: those are its keepers."""
    place, told, entered = tmp_path / "run", list[str](), threading.Event()
    first = claimed(place)
    first.__enter__()

    def begin() -> None:
        with claimed(place, told.append):
            entered.set()

    second = threading.Thread(target=begin)
    second.start()
    until(lambda: told, "it is told what is waited for")
    assert not entered.is_set()
    first.__exit__(None, None, None)
    second.join(60)
    assert entered.is_set() and "was killed" in told[0]


def test_it_is_refused_where_others_can_write(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run").chmod(0o777)
    with pytest.raises(PlaceError, match="only you"):
        claimed(tmp_path / "run").__enter__()


def test_a_path_too_long_for_sockets_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="too long"):
        claimed(tmp_path / ("x" * 100)).__enter__()


def test_the_session_says_where_and_people_may_choose(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("FORKLAB_RUNTIME", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert usual_place() == tmp_path / "forklab"
    monkeypatch.setenv("FORKLAB_RUNTIME", "/elsewhere")
    assert usual_place() == Path("/elsewhere")
    monkeypatch.delenv("FORKLAB_RUNTIME")
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert usual_place().parent == Path("/tmp")
