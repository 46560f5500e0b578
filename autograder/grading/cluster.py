"""Grading on machines that are there already: a dask.distributed cluster as an Executor.

The workers need this program, at this version, and see the submissions at the same path, as on a shared file system.
When a worker dies, the scheduler gives what it had to another one; one that dies again and again is the foreman's care.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any  # distributed has no types

from autograder.errors import CommandError
from autograder.grading.strangers import refuse_strangers
from autograder.safe_text import one_line

_CONNECT_SECONDS = 20


@contextmanager
def cluster(
    address: str, submissions: Path, dangers: Callable[[], Sequence[str]] | None = None
) -> Iterator[Executor]:
    """The cluster whose scheduler is at `address`, such as tcp://10.0.0.1:8786.

    Each worker is asked for the `dangers` of its machine, unless everybody is trusted (None). Raises CommandError if
    there is no cluster, if its workers cannot do the work, or if strangers' work is not to be graded there.
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
        if dangers is not None:
            for worker, found in client.run(dangers).items():
                refuse_strangers(f"the worker at {one_line(worker)}", found)
        # pure=False: two submissions that are alike are still two.
        yield client.get_executor(pure=False)
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
