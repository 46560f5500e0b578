"""Turns a submission into a program that can be run.

What it is, is found in this order; PROGRAM is the name that the lab asks for:

    Makefile      `make` has to make an executable PROGRAM
    *.c           all C files together: cc -std=gnu11 -O1 -g -Wall -o PROGRAM
    PROGRAM       an executable: compiled for this machine, or a script that begins with #!
    PROGRAM.py    run by Python

C files beside PROGRAM.py, or beside a script called PROGRAM, are refused: nobody knows which of the two to judge.
"""

from __future__ import annotations

import codecs
import re
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.safe_text import one_line, safe_text
from autograder.stage.contained import Completed
from autograder.stage.errors import StageError
from autograder.stage.tools import compiler, python_for_submissions
from autograder.submission.clutter import is_archive, is_packed
from autograder.submission.executable import check_executable, is_compiled
from autograder.submission.intake import BuildError, Intake, take_in

# Runs a command contained in a folder, with a deadline.
Runner = Callable[[Sequence[str], Path], Completed]

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")  # in the order of make(1)
_C_FLAGS = ("-std=gnu11", "-O1", "-g", "-Wall")
_CPP = (".cpp", ".cc", ".cxx", ".c++", ".C")
_MOST_LEFT_OUT = 5  # links that are named below a message
_MOST_WORDS = 4_000  # characters of a compiler that anybody reads


@dataclass(frozen=True)
class BuiltProgram:
    """Something that can be run: `file` in `folder`, by `interpreter` if it cannot be executed itself.

    `warnings` are the compiler's words on what it compiled all the same, `left_out` says of each link and special file
    of the submission why it was not taken.
    """

    folder: Path
    file: str
    interpreter: str | None = None
    warnings: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def remarks(self) -> str:
        """What its author should know of a build that went well: prose, an empty line, the compiler's words."""
        prose = [f"Left out: {reason}" for reason in self.left_out[:_MOST_LEFT_OUT]]
        if self.warnings:
            prose.append("It was built, with warnings:")
        return "\n".join(prose) + _quote(self.warnings)

    def command(self, folder: Path | str) -> list[str]:
        """How it is started from anywhere, when its folder is to be seen at `folder`."""
        path = f"{folder}/{self.file}"
        return [self.interpreter, path] if self.interpreter else [path]


def build(submission: Path, workspace: Path, run: Runner, program: str = "init") -> BuiltProgram:
    """Copies a submission into the empty folder `workspace` and makes it runnable there.

    Raises BuildError, in words for the student, if that is not possible; StageError if this machine lacks a tool.
    """
    return build_all(submission, workspace, run, [program])[program]


def build_all(
    submission: Path, workspace: Path, run: Runner, programs: Sequence[str]
) -> dict[str, BuiltProgram]:
    """The same, of a lab that asks for several programs; each by its name.

    PROGRAM.c is that program's alone then, and other C files are compiled into each.
    """
    intake = take_in(submission, workspace)
    left_out = tuple(f"{name} {reason}" for name, reason in intake.refused.items())
    built: dict[str, BuiltProgram] = {}
    for program in programs:
        others = [name for name in programs if name != program]
        try:
            one = _build(workspace, run, program, intake, others)
        except BuildError as error:
            raise BuildError(_with(left_out, str(error))) from None
        built[program] = replace(one, left_out=left_out)
    return built


def _with(left_out: Sequence[str], message: str) -> str:
    """A message with what was left out, which may be the reason; before the quotation that it ends with."""
    prose, gap, quotation = message.partition("\n\n")
    untold = [f"\n  Left out: {reason}" for reason in left_out if reason not in prose]
    return "".join([prose, *untold[:_MOST_LEFT_OUT], gap, quotation])


def _build(
    workspace: Path, run: Runner, program: str, intake: Intake, others: Sequence[str]
) -> BuiltProgram:
    makefile = any((workspace / name).is_file() for name in _MAKEFILES)
    sources = sorted(path.name for path in workspace.glob("*.c") if path.is_file())
    if others:
        shared = [source for source in sources if source.removesuffix(".c") not in others]
        sources = shared if f"{program}.c" in sources else []
    python = workspace / f"{program}.py"
    executable = workspace / program
    _refuse_what_no_tool_reads(workspace, [*_MAKEFILES, *sources, python.name, program])
    if makefile:
        _remove_compiled(workspace, program)
        return _make(workspace, run, program)
    if sources:
        _remove_compiled(workspace, program)
        for other in (python, executable):
            if other.is_file():
                raise BuildError(
                    f"The submission has two programs: {_list(sources)} and {other.name}.\n"
                    "  Hand in one of them, or a Makefile that says how to build yours."
                )
        return _compile(workspace, run, program, sources)
    if executable.is_file():
        check_executable(executable)
        return BuiltProgram(workspace, program)
    if python.is_file():
        return _check_python(workspace, run, python.name)
    raise BuildError(_nothing_to_run(workspace, program, intake))


def _make(workspace: Path, run: Runner, program: str) -> BuiltProgram:
    make = shutil.which("make")
    if make is None:
        raise StageError(
            "make is not installed on this machine: install it (Debian: apt install make)"
        )
    completed = run([make], workspace)
    _raise_unless_done(completed, "make")
    if not (workspace / program).is_file():
        raise BuildError(
            f"make ended well, but it made no file called {program}.\n"
            f"  Let the first target of the Makefile be {program}." + _quote(completed.output)
        )
    check_executable(workspace / program)
    # make says what it does, which is no warning.
    warned = "warning" in completed.output
    return BuiltProgram(workspace, program, warnings=_clip(completed.output) if warned else "")


def _compile(workspace: Path, run: Runner, program: str, sources: list[str]) -> BuiltProgram:
    files = [f"./{source}" for source in sources]  # a file called -o.c is no option
    completed = run([compiler(), *_C_FLAGS, "-o", program, *files], workspace)
    if completed.status != 0 and completed.status is not None:
        if re.search(r"undefined (reference to|symbol).*\bmain\b", completed.output):
            what = f"There is no function main in {_list(sources)}, so there is nothing to start."
            if cpp := sorted(path.name for path in workspace.iterdir() if _is_cpp(path)):
                what += f"\n{_written_in_cpp(cpp[0], program)}"
            raise BuildError(what + _quote(completed.output))
        if re.search(r"(multiple definition of|duplicate symbol).*\bmain\b", completed.output):
            what = (
                f"More than one of {_list(sources)} has a function main. All C files are compiled "
                "to one program.\n  Leave the others away, or hand in a Makefile."
            )
            raise BuildError(what + _quote(completed.output))
    _raise_unless_done(completed, "cc")
    return BuiltProgram(workspace, program, warnings=_clip(completed.output))


def _check_python(workspace: Path, run: Runner, file: str) -> BuiltProgram:
    python = python_for_submissions()
    # Isolated: a file called types.py beside it must not stand in for Python's own.
    completed = run([python, "-I", "-m", "py_compile", file], workspace)
    shutil.rmtree(workspace / "__pycache__", ignore_errors=True)
    if completed.status not in (0, None):
        raise BuildError(f"{file} is not a valid Python program." + _quote(completed.output))
    _raise_unless_done(completed, "Python's compiler")
    return BuiltProgram(workspace, file, python, warnings=_clip(completed.output))


def _raise_unless_done(completed: Completed, tool: str) -> None:
    if completed.status is None:
        raise BuildError(
            f"{tool} took too long and was stopped: {completed.overran}.\n"
            "  Is there a loop without end, or a wait for something that never comes?"
            + _quote(completed.output)
        )
    if completed.status != 0:
        raise BuildError(
            f"Your program could not be built: {tool} ended with status {completed.status}."
            + _quote(completed.output)
        )


def _refuse_what_no_tool_reads(workspace: Path, names: Sequence[str]) -> None:
    """No compiler says in plain words what is wrong with UTF-16, or with an archive that was called init.c."""
    for name in filter(lambda name: (workspace / name).is_file(), names):
        if is_packed(workspace / name):
            raise BuildError(_packed(name))
        with (workspace / name).open("rb") as file:
            if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise BuildError(
                    f"{one_line(name)} is written in UTF-16, as some editors on Windows save it.\n"
                    "  Save it as UTF-8."
                )


def _remove_compiled(workspace: Path, program: str) -> None:
    """What was compiled elsewhere and handed in along with its source: it may be stale, or for another machine."""
    for path in (*workspace.rglob("*.o"), workspace / program):
        if path.is_file() and is_compiled(path):
            path.unlink()


def _nothing_to_run(workspace: Path, program: str, intake: Intake) -> str:
    wanted = f"a Makefile, C files, an executable {program} or {program}.py"
    for name, reason in intake.refused.items():
        if name in (*_MAKEFILES, program, f"{program}.py") or name.endswith(".c"):
            return f"{name} {reason}"
    if intake.files == 0:
        return f"The submission is empty. Hand in {wanted}."
    what = f"There is nothing to build or run: it takes {wanted}."
    paths = sorted(path.relative_to(workspace) for path in workspace.rglob("*") if path.is_file())
    for path in paths:
        deeper = len(path.parts) > 1
        if deeper and (path.suffix == ".c" or path.name in (*_MAKEFILES, program, f"{program}.py")):
            folder = one_line(str(path.parent))
            return (
                f"{what}\n  There is {one_line(str(path))}: hand in what is in the folder {folder}."
            )
    for path in paths:
        if is_archive(path.name) or (not path.suffix and is_packed(workspace / path)):
            return _packed(path.name)
        if _is_cpp(path):
            return _written_in_cpp(path.name, program)
        lower = path.name.lower().removesuffix(".txt")  # as editors on Windows call it
        if lower in (program, f"{program}.py", f"{program}.c", "makefile", "gnumakefile"):
            meant = "Makefile" if lower.endswith("makefile") else lower
            return f"{what}\n  Names have to be exactly so: rename {path.name} to {meant}."
        if path.suffix == ".py":
            return (
                f"{what}\n  Rename {one_line(path.name)} to {program}.py if that is your program."
            )
    return f"{what}\n  There is only: {_list([one_line(str(path)) for path in paths])}."


def _packed(name: str) -> str:
    return (
        f"{one_line(name)} is an archive, and nobody unpacks it here.\n"
        "  Hand in the files that are in it."
    )


def _is_cpp(path: Path) -> bool:
    return path.suffix in _CPP or path.suffix.lower() in _CPP


def _written_in_cpp(name: str, program: str) -> str:
    return (
        f"{one_line(name)} is C++, and only C is compiled here.\n"
        f"  Rename it to {program}.c if it is C; for C++ hand in a Makefile that makes {program} of it."
    )


def _list(names: Sequence[str], most: int = 5) -> str:
    shown = [one_line(name) for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _quote(output: str) -> str:
    """The tool's own words, below ours."""
    words = _clip(output)
    return f"\n\n{words}" if words else ""


def _clip(output: str) -> str:
    """The first errors explain the rest; the last line often says what to do."""
    text = safe_text(output).strip()
    if len(text) <= _MOST_WORDS:
        return text
    head, tail = _MOST_WORDS * 3 // 4, _MOST_WORDS // 4
    return (
        f"{text[:head]}\n... ({len(text) - head - tail:,} characters left out) ...\n{text[-tail:]}"
    )
