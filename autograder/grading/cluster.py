"""Grading on machines that are there already: a dask.distributed cluster as an Executor.

The workers need this program, at this version, and see the submissions at the same path, as on a shared file system.
When a worker dies, the scheduler gives what it had to another one; one that dies again and again is the foreman's care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar  # Any: distributed has no types

from autograder.errors import CommandError
from autograder.grading.workers import apart
from autograder.safe_text import one_line

P = ParamSpec("P")
T = TypeVar("T")

_CONNECT_SECONDS = 20


class Cluster:
    """Its workers do what is submitted to `executor`, and answer what they are asked."""

    def __init__(self, client: Any) -> None:
        self._client = client
        # pure=False: two submissions that are alike are still two.
        self.executor: Executor = _Apart(client.get_executor(pure=False))

    def ask(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> dict[str, T]:
        """What it answers at each worker, by the worker's address."""
        answers: dict[str, T] = self._client.run(apart, fn, *args, **kwargs)
        return answers


class _Apart(Executor):
    """Calls each function in a process beside the worker: that calls in threads, of which no one may trace a play."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        return self._executor.submit(apart, fn, *args, **kwargs)


@contextmanager
def cluster(address: str, submissions: Path) -> Iterator[Cluster]:
    """The cluster whose scheduler is at `address`, such as tcp://10.0.0.1:8786.

    Raises CommandError if there is no cluster, or if its workers cannot do the work.
    """
    try:
        from distributed import Client
        from distributed.comm.addressing import get_address_host_port
    except ImportError:
        raise CommandError(
            "--cluster needs dask.distributed, which is not installed.\n"
            "  Install it: pip install 'forklab[cluster]', or make setup in a clone."
        ) from None
    try:
        # What is no address is refused here: a Client that could not even begin to connect does not close in peace.
        get_address_host_port(address)
        client: Any = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise CommandError(
            f"--cluster {one_line(address)}: no scheduler answers there ({one_line(str(error))}).\n"
            "  Start one with `dask scheduler`; it tells its address."
        ) from error
    try:
        _refuse_unfit_workers(client.run, submissions.resolve())
        yield Cluster(client)
    finally:
        client.close()


def _refuse_unfit_workers(run: Callable[..., Mapping[str, bool]], submissions: Path) -> None:
    """Each worker says what it lacks; the question needs nothing of ours there."""
    missing = run(eval, "__import__('importlib.util').util.find_spec('autograder') is None")
    blind = run(eval, f"not __import__('os').path.isdir({str(submissions)!r})")
    if not missing:
        raise CommandError("--cluster: the cluster has no workers. Start some with `dask worker`.")
    for worker in missing:
        if missing[worker]:
            raise CommandError(
                f"--cluster: the worker at {one_line(worker)} lacks forklab.\n"
                "  Install the same version there, with the extra `cluster`."
            )
        if blind[worker]:
            raise CommandError(
                f"--cluster: the worker at {one_line(worker)} does not see {submissions}.\n"
                "  Put the submissions where all machines find them at the same path."
            )
