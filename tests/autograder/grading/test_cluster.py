"""A class is graded on a real cluster: nothing is lost and nothing doubled when a worker is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from attempts import attempts
from made_up_lab import LAB, by_name, hand_in

from autograder.command.common_mode import common_mode
from autograder.errors import CommandError
from autograder.grading.cluster import cluster
from autograder.grading.grade import grade
from autograder.grading.gradebook import Gradebook
from autograder.labs.demo_class import make_class
from autograder.labs.lab import Lab, load_lab
from autograder.stage.isolation import choose
from autograder.submission.submissions import find_submissions
from autograder.trial.assess import assess

ROOT = Path(__file__).parents[3]
HELPERS = ROOT / "tests" / "autograder"
STUDENTS = [f"student {number:02}" for number in range(30)]


class Cluster:
    """A scheduler and workers, each a process group of its own, on loopback."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self.workers: list[subprocess.Popen[bytes]] = []
        file = scratch / "scheduler.json"
        self._scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(file)
        )
        self._file = file

    def add_worker(self) -> None:
        self.workers.append(
            self._start(
                "worker",
                *("--scheduler-file", str(self._file), "--host", "127.0.0.1", "--nthreads", "1"),
                *("--no-nanny", "--local-directory", str(self._scratch)),
            )
        )

    @property
    def address(self) -> str:
        return str(json.loads(self._file.read_text())["address"])

    def wait_for(self, workers: int) -> None:
        from distributed import Client

        while not (self._file.exists() and self._file.read_text().endswith("}")):
            with pytest.raises(subprocess.TimeoutExpired):  # it ends too early else
                self._scheduler.wait(0.05)
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=60)

    def close(self) -> None:
        for process in (*self.workers, self._scheduler):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _start(self, role: str, *options: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [
                *("setpriv", "--pdeathsig", "KILL"),  # they end with us, however we do
                *(sys.executable, "-m", f"distributed.cli.dask_{role}", "--no-dashboard"),
                *options,
            ],
            env={
                **os.environ,
                "PYTHONPATH": f"{HELPERS}:{ROOT}",
                "DASK_TEMPORARY_DIRECTORY": str(self._scratch),  # it is killed, and removes nothing
            },
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


@pytest.fixture
def two_workers(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    found = Cluster(tmp_path)
    try:
        found.add_worker()
        found.add_worker()
        found.wait_for(2)
        yield found
    finally:
        found.close()


def test_a_worker_that_is_killed_half_way_costs_nothing(
    tmp_path: Path, two_workers: Cluster
) -> None:
    hand_in(tmp_path / "class", STUDENTS)
    graded: list[str] = []

    def kill_one_half_way(student: str) -> None:
        graded.append(student)
        if len(graded) == len(STUDENTS) // 3:
            os.killpg(two_workers.workers[0].pid, signal.SIGKILL)

    with (
        Gradebook(tmp_path / "gradebook.sqlite") as book,
        cluster(two_workers.address, tmp_path / "class") as machines,
    ):
        run = grade(
            LAB,
            find_submissions(tmp_path / "class", "init"),
            book,
            assess=by_name,
            executor=machines.executor,
            on_result=lambda result: kill_one_half_way(result.student),
        )
        assert sorted(graded) == STUDENTS
        assert [len(attempts(book, student)) for student in run.students] == [1] * len(STUDENTS)
        assert {r.assessment.score for r in book.results(run)} == {42}
        assert {len(r.assessment.verdicts) for r in book.results(run)} == {len(LAB.scenarios)}


def test_real_plays_on_a_cluster_end_as_at_home(tmp_path: Path, two_workers: Cluster) -> None:
    make_class(load_lab("init"), tmp_path / "all")
    lab = load_lab("init")
    few = Lab(lab.name, lab.title, lab.folder, lab.scenarios[:6], lab.program)
    root = tmp_path / "class"
    root.mkdir()
    for student in ("solution_c", "mutant_waits_for_main_only", "starter_python"):
        (tmp_path / "all" / student).rename(root / student)
    said = []
    mode = choose(None).mode
    with Gradebook(tmp_path / "gradebook.sqlite") as book:
        for address in (None, two_workers.address):
            how = {"assess": assess, "mode": mode}
            submissions = find_submissions(root, "init")
            if address is None:
                run = grade(few, submissions, book, jobs=1, **how)  # type: ignore[arg-type]
            else:
                with cluster(address, root) as machines:
                    assert common_mode(machines, None).mode == mode
                    run = grade(few, submissions, book, executor=machines.executor, **how)  # type: ignore[arg-type]
            said.append(
                [
                    (r.student, v.scenario, v.status, v.message)
                    for r in book.results(run)
                    for v in r.assessment.verdicts
                ]
            )
    assert said[0] == said[1]


def test_workers_that_do_not_see_the_submissions_are_refused(
    tmp_path: Path, two_workers: Cluster
) -> None:
    with (
        pytest.raises(CommandError, match="does not see"),
        cluster(two_workers.address, tmp_path / "elsewhere"),
    ):
        pass


def test_an_address_where_nobody_is_ends_with_the_mend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.grading.cluster._CONNECT_SECONDS", 1)
    with (
        pytest.raises(CommandError, match="no scheduler answers"),
        cluster("tcp://127.0.0.1:9", tmp_path),
    ):
        pass
