"""What a notebook imports: a cell magic that runs programs outside, and words for the reader.

A notebook's kernel must never fork: the child would be a second kernel. So a cell that begins with
`%%lens c` or `%%lens python` holds a whole program; it is run outside and comes back as what it
wrote and a picture. Then `history` and `output` are about that program, for the cells that check
something.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from IPython.core.error import UsageError
from IPython.core.getipython import get_ipython
from IPython.display import display

from forklab.draw import tree_svg, tree_text
from forklab.history import History
from forklab.lens.snapshot import CannotRunError, Snapshot, snapshot

C_FLAGS = ("-std=gnu11", "-Wall", "-Wextra", "-Wpedantic")
_COMPILER_SECONDS = 60

# Of the program in the last cell: `%%lens` puts new ones in their place, in the notebook.
history = History()
output = ""


@dataclass(frozen=True)
class Picture:
    """A snapshot for a notebook: the tree as SVG or in text, and how everybody ended."""

    seen: Snapshot

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        tree, remarks, caption = self.seen.tree, self.seen.remarks, endings(self.seen)
        picture = tree_svg(tree, remarks) if len(tree) else ""
        return {
            "text/plain": "\n".join(part for part in (tree_text(tree, remarks), caption) if part),
            "text/html": (
                '<figure style="margin: 0.5em 0">'
                f'<div style="overflow-x: auto">{picture}</div>'
                f"<figcaption>{escape(caption)}</figcaption></figure>"
            ),
        }


def lens(line: str, cell: str) -> None:
    """`%%lens c` or `%%lens python`: run this cell's program, show its output and tree at rest."""
    shell: Any = get_ipython()
    shell.push(
        {"history": History(), "output": ""}
    )  # no cell shall check the program before this one
    try:
        seen = look_at(line.strip(), cell)
    except CannotRunError as error:
        raise UsageError(str(error)) from None
    shell.push({"history": seen.history, "output": seen.output})
    print(seen.output, end="" if seen.output.endswith("\n") or not seen.output else "\n")
    display(Picture(seen))  # type: ignore[no-untyped-call]


def look_at(language: str, program: str, *, seconds: float = 10.0) -> Snapshot:
    """Run the text of a program and see it at rest. `language` is "c" or "python".

    Raises CannotRunError with the compiler's words if it does not compile. What the compiler only
    warns of goes to stderr.
    """
    if language not in _COMMANDS:
        raise CannotRunError("Begin the cell with '%%lens c' or '%%lens python'.")
    with tempfile.TemporaryDirectory(prefix="forklab-") as folder:
        # The first line of the cell is the magic itself: so line numbers in messages are those of
        # the cell.
        command = _COMMANDS[language]("\n" + program, Path(folder))
        return snapshot(command, seconds=seconds)


def compare(prediction: int | None, seen: int, remarks: Mapping[int, str] | None = None) -> None:
    """Say gently how a prediction did. `remarks` has, by prediction, how one comes to think so."""
    if prediction is None:
        print(
            f"It was {seen}. You made no prediction: that is allowed, but the next one will be fun."
        )
    elif prediction == seen:
        print(f"You said {prediction}, and it was {seen}. Well seen!")
    else:
        remark = (remarks or {}).get(prediction, "The explanation below tells why.")
        print(f"You said {prediction}, but it was {seen}. {remark}")


def check(*claims: tuple[bool, str]) -> None:
    """Check an exercise: each claim is whether it is true, and what to say if it is not."""
    for true, otherwise in claims:
        if not true:
            print(f"Not yet. {otherwise}")
            return
    print("Right!")


def endings(seen: Snapshot) -> str:
    """How everybody ended, in words."""
    if not len(seen.tree):
        return seen.trouble or (
            "Everybody had ended before we could look. Let the program wait at its end:"
            " getchar(); in C, sys.stdin.readline() in Python."
        )
    sentences = [seen.trouble] if seen.trouble else []
    many = len(seen.tree) > 1
    everybody = f"{len(seen.tree)} processes." if many else "1 process."
    if len(seen.statuses) == len(seen.tree) and set(seen.statuses.values()) == {0}:
        ended = "All of them exited with 0." if many else "It exited with 0."
        return " ".join([everybody, *sentences, ended])
    for name in (node.name for node in seen.tree):
        if name in seen.left:
            sentences.append(f"{name} did not end with its input, so we killed it.")
        elif (status := seen.statuses.get(name)) is not None:
            how = (
                f"exited with {status}"
                if status >= 0
                else f"was killed by {signal.Signals(-status).name}"
            )
            sentences.append(f"{name} {how}.")
    return " ".join([everybody, *sentences])


def _compile(program: str, folder: Path) -> list[str]:
    (folder / "cell.c").write_text(program)
    compiler = os.environ.get("CC", "cc")
    try:
        done = subprocess.run(
            [compiler, *C_FLAGS, "-o", "program", "cell.c"],
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=_COMPILER_SECONDS,
            check=False,
        )
    except FileNotFoundError:
        raise CannotRunError(
            f"There is no C compiler here: the command {compiler!r} was not found."
            " On Debian and Ubuntu, 'sudo apt install gcc' brings one."
        ) from None
    except subprocess.TimeoutExpired:
        raise CannotRunError(f"The compiler needed more than {_COMPILER_SECONDS} s.") from None
    if done.returncode != 0:
        raise CannotRunError(f"This does not compile.\n{done.stderr.rstrip()}")
    sys.stderr.write(done.stderr)
    return [str(folder / "program")]


def _keep(program: str, folder: Path) -> list[str]:
    (folder / "cell.py").write_text(program)
    return [sys.executable, str(folder / "cell.py")]


_COMMANDS: Mapping[str, Callable[[str, Path], list[str]]] = {"c": _compile, "python": _keep}


def _register() -> None:
    shell: Any = get_ipython()
    if shell is not None:  # imported by a notebook, not by a test
        shell.register_magic_function(lens, magic_kind="cell")


_register()
