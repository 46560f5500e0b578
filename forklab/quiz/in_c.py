"""A program of a quiz, written in C as one would write it by hand: C11, POSIX, no warning."""

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

_OPERATORS = {"and": "&&", "or": "||"}
_HEADERS = (
    ("stdio.h", (Say, SayStatus)),
    ("stdlib.h", (Exit,)),
    ("sys/wait.h", (Wait, WaitForAll)),
)


def in_c(program: Block) -> str:
    """The text of the program, with a newline at its end."""
    used = list(statements(program))
    headers = [name for name, needing in _HEADERS if any(isinstance(one, needing) for one in used)]
    lines = [f"#include <{name}>" for name in (*headers, "unistd.h")]
    lines += ["", "int main(void) {"]
    if any(isinstance(one, Wait) and one.status for one in used):
        lines.append("    int status;")
    lines += [*_block(program), "}"]
    return "\n".join(lines) + "\n"


def _block(block: Block) -> Iterator[str]:
    """Its lines, one step further in."""
    for statement in block:
        for line in _lines(statement):
            yield "    " + line


def _lines(statement: Statement) -> Iterator[str]:
    match statement:
        case Say(text, numbered):
            yield f'printf("{text}%d\\n", i);' if numbered else f'printf("{text}\\n");'
        case SayStatus():
            yield 'printf("%d\\n", WEXITSTATUS(status));'
        case Fork():
            yield "fork();"
        case Branch():
            yield from _branch(statement)
        case Both(operators, then):
            yield f"if ({_condition(operators)}) {{"
            yield from _block(then)
            yield "}"
        case Loop(times, body):
            yield f"for (int i = 0; i < {times}; i++) {{"
            yield from _block(body)
            yield "}"
        case Break():
            yield "break;"
        case Wait(child, status):
            where = "&status" if status else "NULL"
            yield f"wait({where});" if child is None else f"waitpid({child}, {where}, 0);"
        case WaitForAll():
            yield "while (wait(NULL) > 0) {"
            yield "    continue;"
            yield "}"
        case Exit(status, plus, at_once):
            yield f"{'_exit' if at_once else 'exit'}({_sum(status, plus)});"
        case Sleep(seconds):
            yield f"sleep({seconds});"
        case MakePipe():
            yield "int ends[2];"
            yield "pipe(ends);"
        case Tell():
            yield 'write(ends[1], "!", 1);'
        case Listen():
            yield "char byte;"
            yield "read(ends[0], &byte, 1);"


def _branch(branch: Branch) -> Iterator[str]:
    pid = "fork()"
    if branch.keep is not None:
        yield f"pid_t {branch.keep} = fork();"
        pid = branch.keep
    if not branch.child:
        yield f"if ({pid} > 0) {{"
        yield from _block(branch.parent)
        yield "}"
        return
    yield f"if ({pid} == 0) {{"
    yield from _block(branch.child)
    if not branch.parent:
        yield "}"
    elif always_ends(branch.child):  # no "else" is needed
        yield "}"
        for statement in branch.parent:
            yield from _lines(statement)
    else:
        yield "} else {"
        yield from _block(branch.parent)
        yield "}"


def _condition(operators: tuple[str, ...]) -> str:
    text = "fork()"
    for number, operator in enumerate(operators):
        left = f"({text})" if number else text
        text = f"{left} {_OPERATORS[operator]} fork()"
    return text


def _sum(status: int, plus: str | None) -> str:
    added = {None: "", "counter": "i", "status": "WEXITSTATUS(status)"}[plus]
    if not added:
        return str(status)
    return f"{added} + {status}" if status else added
