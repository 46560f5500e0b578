"""`forklab quiz`: its options, and what it prints."""

from __future__ import annotations

import argparse
import sys

from forklab.command.usage import Subcommands, UserError, seed, whole_number

LEVELS = range(1, 6)
_KINDS = ("count", "tree", "actions", "outputs")
_LANGUAGES = ("c", "python")
_FORMATS = ("text", "notebook", "markdown", "gift")
_MOST = 50


def add_parser(commands: Subcommands) -> argparse.ArgumentParser:
    quiz = commands.add_parser(
        "quiz",
        help="questions on random small programs, with an answer key",
        description=(
            "Prints questions on random small programs, then the answer key. The key comes from running the programs."
            " The same seed gives the same quiz: give each student a seed of their own."
        ),
    )
    quiz.add_argument("--seed", metavar="N", type=seed, default=0, help="which quiz; default 0")
    quiz.add_argument(
        "--kind",
        choices=_KINDS,
        help="how many? draw the tree; which actions made it? which outputs are possible? default: in turn",
    )
    quiz.add_argument(
        "--level",
        metavar="1-5",
        type=int,
        choices=LEVELS,
        default=2,
        help="from two processes without waits to a family of eight; default 2",
    )
    quiz.add_argument(
        "--count",
        metavar="N",
        type=whole_number(f"a number from 1 to {_MOST}", _MOST),
        default=4,
        help="how many questions; default 4",
    )
    quiz.add_argument(
        "--format", choices=_FORMATS, default="text", help="default text; gift is for Moodle"
    )
    quiz.add_argument(
        "--language",
        choices=_LANGUAGES,
        help="of the programs; default: both, by chance",
    )
    return quiz


def run(parsed: argparse.Namespace) -> int:
    """Print it. Raises UserError."""
    # Only here: the other commands have no need of all this.
    from forklab.lens.record import CannotRecordError
    from forklab.quiz.as_gift import as_gift
    from forklab.quiz.as_markdown import as_markdown
    from forklab.quiz.as_notebook import NoNotebooksError, as_notebook
    from forklab.quiz.as_text import as_text
    from forklab.quiz.make import NoQuestionError, Order, make
    from forklab.quiz.program import Language
    from forklab.quiz.question import QuestionKind
    from forklab.runnable import CannotCompileError

    written = {
        "text": as_text,
        "notebook": as_notebook,
        "markdown": as_markdown,
        "gift": as_gift,
    }[parsed.format]
    order = Order(
        parsed.seed,
        QuestionKind(parsed.kind) if parsed.kind else None,
        parsed.level,
        parsed.count,
        Language(parsed.language) if parsed.language else None,
    )
    try:
        sys.stdout.write(written(make(order)))
    except CannotCompileError as error:
        hint = "" if order.language else "\n  --language python asks for programs in Python alone."
        raise UserError(f"{error}{hint}") from None
    except (CannotRecordError, NoNotebooksError, NoQuestionError) as error:
        raise UserError(str(error)) from None
    return 0
