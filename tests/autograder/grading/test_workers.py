"""Worker processes answer, tell news on the way, and cost one call when they are killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.grading.workers import WorkerLostError, Workers, tell


@pytest.fixture
def news() -> list[tuple[object, ...]]:
    return []


@pytest.fixture
def workers(news: list[tuple[object, ...]]) -> Iterator[Workers]:
    with Workers(2, lambda *told: news.append(told)) as pool:
        yield pool


def double(number: int) -> tuple[int, int]:
    tell("doubling", number)
    return 2 * number, os.getpid()


def die(number: int) -> None:
    tell("dying", number)
    os.kill(os.getpid(), signal.SIGKILL)


def fail() -> None:
    raise ValueError("no such number")


def hang(address: str) -> None:
    with open(address, "w") as told:  # a named pipe: whoever reads knows that we are here
        told.write(str(os.getpid()))
    threading.Event().wait()


def test_each_call_is_answered_in_another_process(workers: Workers) -> None:
    answers = list(workers.map(double, range(20)))
    assert [number for number, _ in answers] == list(range(0, 40, 2))
    pids = {pid for _, pid in answers}
    assert os.getpid() not in pids
    assert 1 <= len(pids) <= 2


def test_news_arrive_before_the_answer(workers: Workers, news: list[tuple[object, ...]]) -> None:
    for number in range(5):
        workers.submit(double, number).result()
        assert news[-1] == ("doubling", number)


def test_an_exception_comes_back_as_itself(workers: Workers) -> None:
    with pytest.raises(ValueError, match="no such number"):
        workers.submit(fail).result()


def test_a_killed_worker_costs_its_own_call_only(
    workers: Workers, news: list[tuple[object, ...]]
) -> None:
    calls = [workers.submit(die if number % 3 == 0 else double, number) for number in range(12)]
    for number, call in enumerate(calls):
        if number % 3 == 0:
            with pytest.raises(WorkerLostError, match="killed by SIGKILL"):
                call.result()
        else:
            assert call.result()[0] == 2 * number
    assert {number for word, number in news if word == "dying"} == {0, 3, 6, 9}


def test_shutdown_without_waiting_kills_who_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "here")
    pool = Workers(1, print)
    call = pool.submit(hang, str(tmp_path / "here"))
    pid = int((tmp_path / "here").read_text())
    pool.shutdown(wait=False)
    assert isinstance(call.exception(), WorkerLostError)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


MASTER = """
import sys
sys.path[:0] = [{here!r}]
from test_workers import hang
from autograder.grading.workers import Workers
Workers(1, print).submit(hang, {pipe!r}).result()
"""


def test_no_worker_outlives_a_killed_master(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "here")
    program = MASTER.format(here=str(Path(__file__).parent), pipe=str(tmp_path / "here"))
    with subprocess.Popen([sys.executable, "-c", program]) as master:
        worker = os.pidfd_open(int((tmp_path / "here").read_text()))
        master.kill()
    ended, _, _ = select.select([worker], [], [], 20)
    os.close(worker)
    assert ended, "the worker is still there"
