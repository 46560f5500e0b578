"""What is asked of the lens, made once, and typed from one end to the other: record, replay and snapshot all send it.

    request = Request.of(["./a.out"], order=Seed(3), pipe=True)

It travels as JSON to a process of its own, which answers with an `Answer` or a `Sighting`.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, Self, TypeAlias, TypedDict, Unpack

from forklab.jsonform import JsonObject
from forklab.lens.errors import CannotRecordError
from forklab.lens.world.limits import Limits
from forklab.steps.schedule import Schedule


class Seed(NamedTuple):
    """Chance decides who is next; the same number decides in the same way."""

    number: int = 0


@dataclass(frozen=True)
class RealTime:
    """Everybody runs free."""


HASH_SEED = "PYTHONHASHSEED"
_ALIKE = 0.8  # of two names, as difflib has it

Order: TypeAlias = Seed | RealTime | Schedule  # who is next


class Options(TypedDict, total=False):
    """What may be said about how a program is run; each has a default. See `Request`.

    `forks`: what runs it is a copy of this process, not a Python of its own: see `forklab.lens.edge.copies`.
    """

    program: str | None
    pipe: bool
    limits: Limits | None
    environment: Mapping[str, str] | None
    namespace: bool
    subreaper: bool
    forks: bool


@dataclass(frozen=True)
class Request:
    """Run `program` as `argv`, with this `environment` and no other.

    Its standard output is a terminal, or a pipe with `pipe`; `echo` also writes it to ours while it runs. Without
    `namespace` nobody even tries to get real pids. `subreaper`: orphans come to the program, as to an init.
    """

    program: str
    argv: tuple[str, ...]
    environment: Mapping[str, str]
    order: Order = field(default_factory=Seed)
    pipe: bool = False
    limits: Limits = field(default_factory=Limits)
    echo: bool = False
    namespace: bool = True
    subreaper: bool = False

    @classmethod
    def of(
        cls,
        argv: Sequence[str],
        *,
        order: Order | None = None,
        echo: bool = False,
        **options: Unpack[Options],
    ) -> Self:
        """`program` is the file to execute where that is not argv[0]; the environment is ours if none is given.

        Raises CannotRecordError if there is no such program.
        """
        environment = options.get("environment")
        return cls(
            options.get("program") or find(argv[0]),
            tuple(argv),
            _reproducible(os.environ if environment is None else environment),
            Seed() if order is None else order,
            options.get("pipe", False),
            options.get("limits") or Limits(),
            echo,
            options.get("namespace", True),
            options.get("subreaper", False),
        )

    def to_json(self) -> str:
        return json.dumps({**asdict(self), "order": _order_to_json(self.order)})

    @classmethod
    def from_json(cls, text: str) -> Self:
        form = json.loads(text)
        form |= {
            "argv": tuple(form["argv"]),
            "order": _order_from_json(form["order"]),
            "limits": Limits(**form["limits"]),
        }
        return cls(**form)


def _order_to_json(order: Order) -> JsonObject:
    match order:
        case Seed(number):
            return {"seed": number}
        case RealTime():
            return {"real_time": True}
        case Schedule():
            return order.to_json()


def _order_from_json(form: JsonObject) -> Order:
    if "seed" in form:
        return Seed(form["seed"])
    return RealTime() if "real_time" in form else Schedule.from_json(form)


def _reproducible(environment: Mapping[str, str]) -> dict[str, str]:
    """Python's sets come in the same order in every run, and its lines in one piece (some containers prevent that).

    Its tracebacks have no colours, from 3.13 on: what a program prints shall not depend on that.
    """
    kept = {name: value for name, value in environment.items() if name != "PYTHONUNBUFFERED"}
    return {HASH_SEED: "0", "PYTHON_COLORS": "0", **kept}


def find(name: str) -> str:
    """The program of this name. Raises CannotRecordError."""
    folders = [""] if os.path.dirname(name) else os.get_exec_path()
    for path in (os.path.join(folder, name) for folder in folders):
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.path.abspath(path)
    from forklab.unrunnable import why_not_executable, why_not_there  # here, as difflib below

    if wrong := why_not_there(name):
        raise CannotRecordError(wrong)
    if os.path.exists(name) and (os.sep in name or not os.access(name, os.X_OK)):
        raise CannotRecordError(why_not_executable(name))
    if os.path.exists(name):
        raise CannotRecordError(f"There is no program {name}. Did you mean ./{name}?")
    import difflib  # here: whoever makes no mistake has no need of it

    here = os.path.dirname(name)
    close = difflib.get_close_matches(os.path.basename(name), _files_in([here or "."]), 1, _ALIKE)
    if not close and not here:
        close = difflib.get_close_matches(name, _files_in(os.get_exec_path()), 1, _ALIKE)
    hint = f" Did you mean {os.path.join(here, close[0])}?" if close else ""
    raise CannotRecordError(f"There is no program {name}.{hint}")


def _files_in(folders: Iterable[str]) -> Iterator[str]:
    for folder in folders:
        with contextlib.suppress(OSError):
            yield from os.listdir(folder)
