"""Processes that do the judging: an Executor whose workers tell news while they are at work, and may be killed.

Each thread of a small pool looks after one worker process. They talk over a socket pair, in pickled messages. A worker
that is killed or crashes costs the call that it had, which raises WorkerLostError; the next call gets a new worker.
A worker never outlives us: the kernel kills it when the thread that started it ends (PR_SET_PDEATHSIG, see prctl(2)).
"""

from __future__ import annotations

import ctypes
import functools
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import ParamSpec, TypeVar

from forklab.kernel.statuses import how_it_ended

P = ParamSpec("P")
T = TypeVar("T")

_PR_SET_PDEATHSIG = 1
_PATIENCE_SECONDS = 10.0  # for a worker that has nothing to do any more to end by itself

# Isolated (-I): nothing in the current folder, which may hold submissions, is imported in place of a module of ours.
_START = (
    "import sys; sys.path[:] = sys.argv[3:];"
    "from autograder.grading.workers import serve; serve(int(sys.argv[1]), int(sys.argv[2]))"
)


class WorkerLostError(Exception):
    """The process that had this call is gone; the text says how it ended."""


class Workers(Executor):
    """`count` processes. What they `tell` arrives at `on_news`, in the thread that looks after the worker."""

    def __init__(self, count: int, on_news: Callable[..., None]) -> None:
        self._on_news = on_news
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._mine = threading.local()
        self._workers: set[_Worker] = set()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Calls a function that can be pickled, as its arguments and its answer can."""
        return self._threads.submit(self._call, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Without `wait` the workers are killed, whatever they are doing."""
        if not wait:
            for worker in list(self._workers):
                worker.kill()
        self._threads.shutdown(wait=True, cancel_futures=cancel_futures or not wait)
        for worker in list(self._workers):
            worker.close()
        self._workers.clear()

    def _call(
        self, fn: Callable[..., T], args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> T:
        worker: _Worker | None = getattr(self._mine, "worker", None)
        if worker is None:
            worker = self._mine.worker = _Worker()
            self._workers.add(worker)
        try:
            return worker.call(fn, args, kwargs, self._on_news)
        except WorkerLostError:
            self._mine.worker = None
            self._workers.discard(worker)
            raise


def apart(fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
    """Calls it in a process that is there for such calls: in virtual time only the main thread of one can judge."""
    return _others().submit(fn, *args, **kwargs).result()


@functools.cache
def _others() -> Workers:
    return Workers(processors(), lambda *news: None)


def processors() -> int:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0))


def tell(*news: object) -> None:
    """Called in a worker: hands `news` to the `on_news` of the Workers."""
    assert _master is not None, "not in a worker"
    _master.send(("news", news))


_master: Connection | None = None  # in a worker: the other end


def serve(descriptor: int, master_pid: int) -> None:
    """What a worker does: answers one call after the other until nobody asks any more."""
    global _master
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != master_pid:
        return  # it ended before the kernel knew that we want to follow
    _master = Connection(descriptor)
    while True:
        try:
            fn, args, kwargs = _master.recv()
        except EOFError:
            return
        try:
            answer = ("answer", fn(*args, **kwargs))
        except Exception as error:
            answer = ("error", error)
        _master.send(answer)


class _Worker:
    """The process, seen from its thread."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self._connection = Connection(ours.detach())
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", _START, str(theirs.fileno()), str(os.getpid())]
                + [path for path in sys.path if path],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # Ctrl-C is for us: we decide what becomes of the workers
            )

    def call(
        self,
        fn: Callable[..., T],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        on_news: Callable[..., None],
    ) -> T:
        try:
            self._connection.send((fn, args, kwargs))
            while True:
                kind, what = self._connection.recv()
                if kind == "news":
                    on_news(*what)
                elif kind == "error":
                    raise what
                else:
                    answer: T = what
                    return answer
        except (EOFError, OSError) as gone:
            self.kill()
            raise WorkerLostError(self.close()) from gone

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> str:
        """Lets it end, and answers how it did."""
        self._connection.close()
        try:
            status = self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            status = self._process.wait()
        if status < 0:
            return f"a worker process {how_it_ended(status)}"
        return f"a worker process ended with status {status}"
