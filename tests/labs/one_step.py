"""All programs that are one small mistake away from a C program: a condition turned round, a statement forgotten.

    source -> tokens -> mutations

The rules know C's tokens and nothing of what they mean, so some of what they make does not compile: ask a compiler.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
    (?P<blank> \s+ | /\*.*?\*/ | //[^\n]* | ^[ \t]*\#[^\n]*)
  | (?P<text> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*')
  | (?P<word> [A-Za-z_]\w*)
  | (?P<number> \d\w*)
  | (?P<sign> <<=|>>=|\.\.\.|->|\+\+|--|&&|\|\||[-+*/%&|^=!<>]=|<<|>>|[^\s\w])
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)

# What somebody takes for one another. Each word is replaced by each other one of its line.
_CONFUSED = (
    "== !=",
    "< <= > >=",
    "&& ||",
    "+ -",
    "++ --",
    "SIG_BLOCK SIG_UNBLOCK SIG_SETMASK",
    "SIG_DFL SIG_IGN",
    "SIGCHLD SIGCONT SIGTERM",
    "sigfillset sigemptyset",
    "STDIN_FILENO STDOUT_FILENO STDERR_FILENO",
    "ENOENT ENOTDIR EACCES",
    "WIFEXITED WIFSIGNALED",
    "WEXITSTATUS WTERMSIG",
    "CANNOT_EXECUTE NOT_FOUND",
    "getpid getppid getpgrp",
    "execvp execv",
    "_exit exit",
)
_OTHERS = {
    word: [other for other in line.split() if other != word]
    for line in _CONFUSED
    for word in line.split()
}
# What a declaration, or a statement of several parts, begins with.
_NO_STATEMENT = re.compile(
    "auto|case|char|const|default|do|else|enum|extern|for|if|int|long|static|struct|switch|typedef|union|unsigned|void|"
    "volatile|while|[a-z]+_t"
)
_FUNCTION = re.compile(r"^[a-z].*?\b(\w+)\([^;]*$", re.MULTILINE)
_COMMENT = re.compile(r"/\*.*?(\*/|$)|//.*")
_FLAG = re.compile(r"[A-Z][A-Z0-9]*")  # WNOHANG: an argument that is a constant in capitals


@dataclass(frozen=True)
class Mutation:
    """A program with one mistake. In `function`, or outside of all, `before` has become `after`: lines without margins.

    No two that differ are alike in these three, and they stay the same when the program grows elsewhere.
    """

    function: str
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.function or 'outside'}: {self.before} -> {self.after or 'nothing'}"


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True)
class _Change:
    """Put `replacement` in the place of what stands between two offsets."""

    start: int
    end: int
    replacement: str = ""


def mutations(source: str) -> list[Mutation]:
    """Every program that one of the rules makes of `source`, in the order of lines; no two are the same text."""
    code = _Code(source)
    starts: dict[str, int] = {}
    found = {source: Mutation("", "", "", source)}
    for rule in (
        code.turned_conditions,
        code.forgotten_statements,
        code.forgotten_blocks,
        code.confused_words,
        code.other_numbers,
        code.lost_signs,
        code.lost_flags,
    ):
        for change in rule():
            text = source[: change.start] + change.replacement + source[change.end :]
            if text not in found:
                found[text] = _mutation(source, change, text)
                starts[text] = change.start
    del found[source]
    return sorted(found.values(), key=lambda mutation: starts[mutation.text])


def _mutation(source: str, change: _Change, text: str) -> Mutation:
    begin = source.rfind("\n", 0, change.start) + 1
    end = source.index("\n", change.end)
    after = text[begin : end + len(text) - len(source)]
    functions = _FUNCTION.findall(source[:begin])
    return Mutation(
        functions[-1] if functions else "", _plain(source[begin:end]), _plain(after), text
    )


def _plain(lines: str) -> str:
    """Of several lines the first, which says which they are; without a comment."""
    return _COMMENT.sub("", lines.strip().partition("\n")[0]).strip()


class _Code:
    """A program as tokens, and the rules: each yields changes, one mistake each."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._tokens = [
            _Token(match.lastgroup or "", match[0], match.start(), match.end())
            for match in _TOKEN.finditer(source)
            if match.lastgroup != "blank"
        ]

    def turned_conditions(self) -> Iterator[_Change]:
        """if, while, the middle of a for, and what stands before a question mark."""
        for at, token in enumerate(self._tokens):
            if token.text in ("if", "while") and self._text(at + 1) == "(":
                yield self._negated(at + 2, self._closing(at + 1))
            elif token.text == "for" and self._text(at + 1) == "(":
                first = self._next(";", at + 2)
                second = self._next(";", first + 1)
                if second > first + 1:
                    yield self._negated(first + 1, second)
            elif token.text == "?":
                begin = at
                while self._text(begin - 1) not in ("return", "=", "(", ";", ","):
                    begin -= 1 if self._text(begin - 1) != ")" else 0
                    if self._text(begin - 1) == ")":
                        begin = self._opening(begin - 1)
                yield self._negated(begin, at)

    def forgotten_statements(self) -> Iterator[_Change]:
        """An expression or a return; never a declaration."""
        for at, token in enumerate(self._tokens):
            starts = self._text(at - 1) in ("{", "}", ";") and token.kind == "word"
            if not starts or _NO_STATEMENT.fullmatch(token.text) or self._text(at - 2) == "enum":
                continue
            end = self._next(";", at)
            if end < len(self._tokens) and (
                self._text(at + 1) in ("(", "=") or token.text == "return"
            ):
                yield self._without(at, end)

    def forgotten_blocks(self) -> Iterator[_Change]:
        """An if with its block, or an else with its."""
        for at, token in enumerate(self._tokens):
            if token.text == "if" and self._text(at - 1) != "else":
                block = self._closing(at + 1) + 1
            elif token.text == "else":
                block = at + 1 if self._text(at + 1) != "if" else self._closing(at + 2) + 1
            else:
                continue
            if self._text(block) == "{":
                end = self._closing(block)
                if token.text == "if" and self._text(end + 1) == "else":
                    end = self._closing(self._next("{", end))
                yield self._without(at, end)

    def confused_words(self) -> Iterator[_Change]:
        for at, token in enumerate(self._tokens):
            unary = token.text in "+-" and self._text(at - 1) in ("(", ",", "=", "return")
            declared = self._text(at - 1) in ("{", ",") and self._text(at + 1) == "="
            if not unary and not declared:
                for other in _OTHERS.get(token.text, ()):
                    yield self._instead(token, other)

    def other_numbers(self) -> Iterator[_Change]:
        """One more, and one less."""
        for token in self._tokens:
            if token.kind == "number":
                yield self._instead(token, str(int(token.text) + 1))
                yield self._instead(token, f"{int(token.text) - 1}")
            elif token.text in ("NSIG", "STDERR_FILENO"):
                yield self._instead(token, f"({token.text} - 1)")
                yield self._instead(token, f"({token.text} + 1)")

    def lost_signs(self) -> Iterator[_Change]:
        """The minus that makes a group of a process, and the not."""
        for at, token in enumerate(self._tokens):
            if token.text in ("-", "!") and self._text(at - 1) in ("(", ",", "=", "return"):
                yield self._instead(token, "")

    def lost_flags(self) -> Iterator[_Change]:
        """A constant among the arguments of a call."""
        for at, token in enumerate(self._tokens):
            argument = self._text(at - 1) == "," and self._text(at + 1) in (",", ")")
            if argument and _FLAG.fullmatch(token.text) and token.text != "NULL":
                yield self._instead(token, "0")

    def _text(self, at: int) -> str:
        return self._tokens[at].text if 0 <= at < len(self._tokens) else ""

    def _next(self, text: str, at: int) -> int:
        """Where this sign stands next outside of any brackets that begin before it."""
        while self._text(at) != text:
            at = self._closing(at) + 1 if self._text(at) in ("(", "[") else at + 1
        return at

    def _closing(self, opening: int) -> int:
        """Where the bracket at `opening` is closed."""
        return self._partner(opening, 1)

    def _opening(self, closing: int) -> int:
        return self._partner(closing, -1)

    def _partner(self, at: int, step: int) -> int:
        depth = 0
        while True:
            depth += (self._text(at) in ("(", "[", "{")) - (self._text(at) in (")", "]", "}"))
            if depth == 0:
                return at
            at += step

    def _negated(self, first: int, end: int) -> _Change:
        start, stop = self._tokens[first].start, self._tokens[end - 1].end
        condition = self._source[start:stop]
        return _Change(start, stop, f"!({condition})")

    def _without(self, first: int, last: int) -> _Change:
        return _Change(self._tokens[first].start, self._tokens[last].end)

    def _instead(self, token: _Token, other: str) -> _Change:
        return _Change(token.start, token.end, other)
