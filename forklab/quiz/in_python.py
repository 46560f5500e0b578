"""A program of a quiz, written in Python: the same system calls in the same order as in C.

fork(2) and wait(2) are those of `os`; exit(3), which writes out what is buffered, is sys.exit(), and _exit(2) is
os._exit().
"""

from __future__ import annotations

from collections.abc import Iterator

from forklab.quiz.program import (
    Block,
    Both,
    Branch,
    Break,
    Exit,
    Fork,
    Listen,
    Loop,
    MakePipe,
    Say,
    SayStatus,
    Sleep,
    Statement,
    Tell,
    Wait,
    WaitForAll,
    always_ends,
    statements,
)

_CODE = "os.waitstatus_to_exitcode(status)"


def in_python(program: Block) -> str:
    """The text of the program, with a newline at its end."""
    used = list(statements(program))
    modules = ["os"]
    if any(isinstance(one, Exit) and not one.at_once for one in used):
        modules.append("sys")
    if any(isinstance(one, Sleep) for one in used):
        modules.append("time")
    lines = [f"import {name}" for name in modules]
    if any(isinstance(one, WaitForAll) or (isinstance(one, Wait) and not one.sure) for one in used):
        lines.append("from contextlib import suppress")
    lines += ["", *_of(program)]
    return "\n".join(lines) + "\n"


def _of(block: Block) -> Iterator[str]:
    for statement in block:
        yield from _lines(statement)


def _block(block: Block) -> Iterator[str]:
    """Its lines, one step further in."""
    for line in _of(block):
        yield "    " + line


def _lines(statement: Statement) -> Iterator[str]:
    match statement:
        case Say(text, numbered):
            yield f'print(f"{text}{{i}}")' if numbered else f'print("{text}")'
        case SayStatus():
            yield f"print({_CODE})"
        case Fork():
            yield "os.fork()"
        case Branch():
            yield from _branch(statement)
        case Both(operators, ()):
            yield _condition(operators)
        case Both(operators, then):
            yield f"if {_condition(operators)}:"
            yield from _block(then)
        case Loop(times, body):
            counts = any(
                (isinstance(one, Say) and one.numbered)
                or (isinstance(one, Exit) and one.plus == "counter")
                for one in statements(body)
            )
            yield f"for {'i' if counts else '_'} in range({times}):"
            yield from _block(body)
        case Break():
            yield "break"
        case Wait():
            yield from _wait(statement)
        case WaitForAll():
            yield "with suppress(ChildProcessError):"
            yield "    while True:"
            yield "        os.wait()"
        case Exit(status, plus, at_once):
            yield f"{'os._exit' if at_once else 'sys.exit'}({_sum(status, plus)})"
        case Sleep(seconds):
            yield f"time.sleep({seconds})"
        case MakePipe():
            yield "read_end, write_end = os.pipe()"
        case Tell():
            yield 'os.write(write_end, b"!")'
        case Listen():
            yield "os.read(read_end, 1)"


def _branch(branch: Branch) -> Iterator[str]:
    pid = "os.fork()"
    if branch.keep is not None:
        yield f"{branch.keep} = os.fork()"
        pid = branch.keep
    if not branch.child:
        yield f"if {pid} > 0:"
        yield from _block(branch.parent)
        return
    yield f"if {pid} == 0:"
    yield from _block(branch.child)
    if always_ends(branch.child):  # no "else" is needed
        yield from _of(branch.parent)
    elif branch.parent:
        yield "else:"
        yield from _block(branch.parent)


def _wait(wait: Wait) -> Iterator[str]:
    call = "os.wait()" if wait.child is None else f"os.waitpid({wait.child}, 0)"
    if wait.status:
        call = f"_, status = {call}"
    if wait.sure:
        yield call
    else:
        yield "with suppress(ChildProcessError):"
        yield f"    {call}"


def _condition(operators: tuple[str, ...]) -> str:
    text = "os.fork()"
    for number, operator in enumerate(operators):
        left = f"({text})" if number else text
        text = f"{left} {operator} os.fork()"
    return text


def _sum(status: int, plus: str | None) -> str:
    added = {None: "", "counter": "i", "status": _CODE}[plus]
    if not added:
        return str(status)
    return f"{added} + {status}" if status else added
