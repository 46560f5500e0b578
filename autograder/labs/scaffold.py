"""A new lab: small, gradable at once, and with words in every file that say what belongs there.

What it is made of stands in blank/, in the places where it will be; $program in a text is the program's name, and a
file that is called `program` gets that name too. `.template` at the end keeps tools from reading it as a program.
"""

from __future__ import annotations

import re
import shutil
import sys
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from string import Template

from autograder.errors import CommandError
from autograder.labs.playbill import can_be_called
from autograder.language.roles import AS_COMMAND, AS_INIT, AS_TOOL, INIT, MAIN
from autograder.safe_text import one_line

_NAME = re.compile(
    r"[a-z][a-z0-9_]{0,39}"
)  # of a folder, a program, a word for make and for shells
_SUFFIX = ".template"
_ROLE_IN_WORDS = {
    AS_COMMAND: 'an ordinary process below an init of the judge\'s; or "init", or "tool"',
    AS_INIT: 'PID 1, or a subreaper, called init in scripts; or "command", or "tool"',
    AS_TOOL: 'nobody runs it but actors, as often as the script says; or "command", or "init"',
}
_STARTED = (
    'run     = ["{program}", "{main}"]'
    " # how it is started: here with a command that does what the script says"
)
_RUN_BY_ACTORS = 'commands = ["job"] # actors that it finds on its PATH'


def make_lab(name: str, role: str, labs: Path) -> Path:
    """Makes the lab `name` in the folder `labs`, which is made if it is not there, and answers its folder.

    Raises CommandError if there is such a folder already, if the name will not do, or if it cannot be written; then
    nothing is left of it.
    """
    _check(name, role)
    folder = labs / name
    try:
        labs.mkdir(exist_ok=True)
        folder.mkdir()
    except FileExistsError:
        if not labs.is_dir():
            raise CommandError(f"{labs} is no folder, so no lab can be made in it.") from None
        what = f"{folder} is there already. Take another name, or remove it first."
        raise CommandError(what) from None
    except OSError as error:
        raise CommandError(f"{folder}: cannot be made ({error.strerror}).") from error
    try:
        for path, text in files_of(name, role).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            what = f"{folder}: cannot be written ({error.strerror})."
            raise CommandError(what) from error
        raise
    return folder


def files_of(name: str, role: str) -> dict[str, str]:
    """All files of a new lab: their paths in its folder, and their texts."""
    program = INIT if role == AS_INIT else name
    is_tool = role == AS_TOOL
    words = {
        "lab": name,
        "program": program,
        # An init is called init, and so is its program here; of a tool the actor is spoken of who runs it.
        "subject": "one" if is_tool else program,
        "command": "job" if is_tool else MAIN,  # what it starts
        "beginning": f"main forks one\none runs {program} job\n" if is_tool else "",
        "how_it_is_started": _RUN_BY_ACTORS if is_tool else _STARTED,
        "role": role,
        "role_in_words": _ROLE_IN_WORDS[role],
    }
    return {
        path.removesuffix(_SUFFIX).replace("/program.", f"/{program}."): Template(text).substitute(
            words
        )
        for path, text in _texts(files("autograder.labs") / "blank")
    }


def _check(name: str, role: str) -> None:
    """Of the lab of a command or a tool the folder, the program and its word in scripts have one name."""
    if not _NAME.fullmatch(name):
        raise CommandError(
            f"{one_line(name)!r} cannot be a lab's name: take small letters, digits and _, a letter first and"
            " 40 at most, such as fork_tree."
        )
    if role != AS_INIT and not can_be_called(name):
        other = " Or is it a lab about an init? Then say --role init." if name == INIT else ""
        raise CommandError(
            f"{name!r} cannot be what scripts call the program: it means something else there."
            f" Take another name, such as my_{name}.{other}"
        )
    if role != AS_INIT and name in sys.stdlib_module_names:
        raise CommandError(
            f"{name!r} is a module of Python's: beside {name}.py no program could import it."
            f" Take another name, such as my_{name}."
        )


def _texts(folder: Traversable, path: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found += _texts(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            found.append((f"{path}{entry.name}", entry.read_text("utf-8")))
    return found
