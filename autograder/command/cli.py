"""The `autograder` command: check a submission, grade a class, play a scenario, and what helps with that.

Exit status 0: all passed, nothing was found, or the class was graded; 1: something failed; 2: wrong usage or the
grader's own trouble; 130: stopped by Ctrl-C.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.errors import CommandError
from autograder.language.roles import (
    AS_COMMAND,
    AS_INIT,
    AS_TOOL,
    MODES,
    VIRTUAL,
    VIRTUAL_SUBREAPER,
)
from forklab import standard
from forklab.lacking import NO_PROC, has_proc, lacks
from forklab.version import ShowVersion

_INTERRUPTED = 130  # 128 + SIGINT, as a shell tells it
# What is wrong with a path that somebody has given, wherever we come upon it.
_WRONG_PATHS = (errno.EACCES, errno.ELOOP, errno.ENAMETOOLONG, errno.ENOTDIR)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line, by default that of this process; answers its exit status."""
    if argv is not None:
        return _guarded(list(argv))
    status = _guarded(sys.argv[1:])
    if status == _INTERRUPTED:
        # Threads may still be judging, for seconds; Python would wait for them. Whatever they started ends with us: the
        # sandboxes die with their parent.
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _guarded(words: list[str]) -> int:
    if not standard.prepare():
        print(
            "autograder: standard output is closed. Leave out '>&-', or give a file.",
            file=sys.stderr,
        )
        return 2
    if not has_proc():
        print(f"autograder: {NO_PROC}.", file=sys.stderr)
        return 2
    # What comes after "--" is somebody else's command line, options included.
    split = words.index("--") if "--" in words else len(words)
    try:
        arguments = _parser().parse_args(words[:split])
        arguments.init = words[split + 1 :]
        return _run_or_explain(arguments)
    except CommandError as error:
        print(f"autograder: {error}", file=sys.stderr)
        standard.drop_what_is_stuck(sys.stdout)
        return 2
    except KeyboardInterrupt:
        print("autograder: stopped.", file=sys.stderr)
        return _INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        standard.close(sys.stdout.fileno())
        return 141


def _run_or_explain(arguments: argparse.Namespace) -> int:
    # Imported late, here and below: `autograder --help` and wrong usage should answer at once.
    from autograder.stage.errors import StageError
    from forklab.draw.trees.errors import GraphvizFailedError, GraphvizMissingError

    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except (StageError, GraphvizMissingError, GraphvizFailedError) as error:
        raise CommandError(str(error)) from error
    except OSError as error:
        if what := lacks(error):
            raise CommandError(f"{what}.") from error
        if error.errno not in _WRONG_PATHS or error.filename is None:
            raise
        raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error


def _run(arguments: argparse.Namespace) -> int:
    """Each command is imported when it is asked for: none waits for what only another one needs."""
    match arguments.command:
        case "check" if arguments.schedule is not None:
            from autograder.command.follow import FollowOrder, follow

            return follow(
                FollowOrder(
                    arguments.lab,
                    arguments.path,
                    arguments.schedule,
                    arguments.scenario,
                    arguments.json,
                    arguments.film,
                    arguments.all,
                    arguments.mode,
                    arguments.seed,
                    arguments.gradescope,
                )
            )
        case "check":
            if arguments.film is not None:
                raise CommandError(
                    "--film: it is made of a play whose steps are given: add --schedule FILE."
                )
            from autograder.command.check import check

            return check(
                arguments.lab,
                arguments.path,
                arguments.scenario,
                arguments.json,
                arguments.mode,
                arguments.gradescope,
                arguments.metadata,
                arguments.all,
                arguments.seed,
            )
        case "grade":
            from autograder.command.grade import ClassOrder, grade_class

            return grade_class(
                ClassOrder(
                    arguments.lab,
                    arguments.submissions,
                    arguments.out,
                    arguments.jobs,
                    arguments.resume,
                    arguments.only,
                    arguments.mode,
                    arguments.cluster,
                    arguments.assignment,
                    arguments.trusting,
                    arguments.seed,
                )
            )
        case "prove":
            from autograder.command.prove import ProofOrder, prove

            return prove(
                ProofOrder(
                    arguments.lab,
                    arguments.path,
                    arguments.scenario,
                    arguments.seconds,
                    arguments.json,
                    arguments.film,
                )
            )
        case "fuzz":
            from autograder.command.fuzz import FuzzOrder, fuzz_submission

            return fuzz_submission(
                FuzzOrder(
                    arguments.lab,
                    arguments.path,
                    arguments.plays,
                    arguments.seconds,
                    arguments.seed,
                    arguments.mode,
                    arguments.out,
                    arguments.film,
                )
            )
        case "play":
            from autograder.command.play import play

            return play(arguments.scenario, arguments.init, arguments.svg, arguments.mode)
        case "doctor":
            from autograder.command.doctor import doctor

            return doctor(arguments.mode)
        case "demo":
            from autograder.command.demo import demo

            return demo(arguments.lab, arguments.out)
        case _:
            from autograder.command.new_lab import new_lab

            return new_lab(arguments.name, arguments.role)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autograder",
        description="Judges programs by what the kernel says about their processes.",
    )
    parser.add_argument(
        "--version", action=ShowVersion, nargs=0, help="say which forklab this is, and exit"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="judge one submission and explain the result")
    _add_submission(check)
    _add_scenarios(check)
    check.add_argument(
        "--all", action="store_true", help="show every failure in full, not only the first"
    )
    check.add_argument("--json", metavar="FILE", help="write the verdicts there; - is stdout")
    check.add_argument(
        "--gradescope",
        type=Path,
        metavar="FILE",
        help="write results.json for Gradescope there, from the beginning and after each verdict; "
        "without --mode nobody is PID 1 then, so that all machines ask for the same",
    )
    check.add_argument(
        "--metadata",
        type=Path,
        metavar="FILE",
        help="who handed in and when, as Gradescope's submission_metadata.json tells it",
    )
    _add_mode(check)
    _add_seed(check)
    check.add_argument(
        "--schedule",
        type=Path,
        metavar="FILE",
        help="play again what is lost there: a file that 'autograder prove --json' has written",
    )
    check.add_argument(
        "--film",
        metavar="FILE.html",
        help="with --schedule: make a film of the first of these plays",
    )

    grade = commands.add_parser("grade", help="grade a class")
    _add_lab(grade)
    grade.add_argument(
        "submissions", type=Path, metavar="SUBMISSIONS", help="the folder with a folder a student"
    )
    grade.add_argument(
        "--assignment",
        metavar="NAME",
        help="the students' folders for this lab are called so; default: as the lab is",
    )
    grade.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    grade.add_argument(
        "--jobs", type=_positive, metavar="N", help="so many at a time; default: one a processor"
    )
    grade.add_argument(
        "--resume",
        action="store_true",
        help="go on where it was stopped; leave out who is graded already",
    )
    grade.add_argument("--only", metavar="STUDENT", help="grade this student again")
    grade.add_argument(
        "--cluster", metavar="ADDRESS", help="grade on a dask.distributed cluster, by its scheduler"
    )
    grade.add_argument(
        "--trusting",
        action="store_true",
        help="grade also where submissions reach what is not theirs: you trust them all",
    )
    _add_mode(grade)
    _add_seed(grade)

    prove = commands.add_parser(
        "prove",
        help="go through every schedule: is it right in all of them, or how does it lose?",
        description="Exit status 0: all proved, some perhaps with shorter rows; 1: something is lost; 2: not known.",
    )
    _add_submission(prove)
    _add_scenarios(prove)
    prove.add_argument(
        "--seconds",
        type=_positive,
        default=60,
        metavar="S",
        help="so long at most for each scenario, on the processor; default: %(default)s",
    )
    prove.add_argument("--json", metavar="FILE", help="write the proofs there; - is stdout")
    prove.add_argument(
        "--film", metavar="FILE.html", help="make a film of the first loss, for a browser"
    )

    fuzz = commands.add_parser(
        "fuzz",
        help="look for a play that one submission fails, among plays that nobody wrote",
        description="Exit status 0: nothing found; 1: a play fails, and the smallest of its kind is shown.",
    )
    _add_submission(fuzz)
    fuzz.add_argument(
        "--plays", type=_positive, default=1000, metavar="N", help="so many; default: 1000"
    )
    fuzz.add_argument(
        "--seconds",
        type=_seconds,
        metavar="S",
        help="so long at most; default: until all are played",
    )
    fuzz.add_argument(
        "--seed",
        type=_natural,
        metavar="N",
        help="the same seed makes the same plays; default: another one each time, which is told",
    )
    fuzz.add_argument("--out", metavar="FILE", help="write the scenario there; - is stdout")
    fuzz.add_argument("--film", metavar="FILE", help="write a film of the play there, as HTML")
    _add_mode(fuzz)

    play = commands.add_parser(
        "play",
        help="play one scenario against any init",
        usage="autograder play [--svg FILE] [--mode MODE] SCENARIO -- INIT [ARG...]",
        description="Example: autograder play labs/init/scenarios/03_orphan.toml -- tini -g --",
    )
    play.add_argument("scenario", metavar="SCENARIO", help="a scenario file, or LAB/NAME")
    play.add_argument("--svg", metavar="FILE", help="draw the processes at the end; - is stdout")
    _add_mode(play)

    doctor = commands.add_parser(
        "doctor",
        help="say what this machine keeps submissions from, and what not",
        description="Exit status 0: strangers' work can be graded here; 1: only with --trusting.",
    )
    _add_mode(doctor)

    demo = commands.add_parser("demo", help="make a demo class of solutions and mutants")
    _add_lab(demo)
    demo.add_argument("--out", type=Path, required=True, metavar="DIR", help="for its submissions")

    new_lab = commands.add_parser(
        "new-lab",
        help="make a lab to begin with, in labs/NAME",
        description="It can be graded as it is, and says in each file what belongs there.",
    )
    new_lab.add_argument("name", metavar="NAME", help="of its folder; small letters, digits and _")
    new_lab.add_argument(
        "--role",
        choices=(AS_COMMAND, AS_INIT, AS_TOOL),
        default=AS_COMMAND,
        help="what is judged: a command, which has the lab's name (the default), an init, or a tool that actors run",
    )
    return parser


def _add_lab(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("lab", metavar="LAB", help="the lab's name, or its folder")


def _add_submission(parser: argparse.ArgumentParser) -> None:
    _add_lab(parser)
    parser.add_argument("path", type=Path, metavar="PATH", help="the folder with the submission")


def _add_scenarios(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--scenario",
        action="append",
        default=[],
        metavar="NAME|FILE",
        help="only this scenario; may be given several times",
    )


def _add_mode(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--mode",
        choices=(VIRTUAL, VIRTUAL_SUBREAPER, *MODES),
        help="virtual, virtual-subreaper: below the lens, in virtual time, as PID 1 or not; pidns, subreaper: the same "
        "in real time; default: virtual, or the best that this machine can do, as 'autograder doctor' tells",
    )


def _add_seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed",
        type=_positive,
        default=0,
        metavar="N",
        help="in virtual time: another order of those who could go on, the same one for the same N",
    )


def _positive(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return number


def _natural(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 on")
    return int(text)


def _seconds(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


if __name__ == "__main__":
    sys.exit(main())
