"""`ctl`, which is `forklab ctl`: its words, and what each verb is."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from forklab import standard
from forklab.ctl import files, jobs, journal, pictures, showing
from forklab.ctl.asking import Asking, NoManagerError, NoStateError
from forklab.ctl.context import Context, CtlError
from forklab.services.place import usual_place

Verb = Callable[[Context, list[str]], int]

_VERBS: Final[Mapping[str, tuple[Verb, str]]] = {
    "status": (showing.status, "how units stand, their processes, their last lines"),
    "list-units": (showing.list_units, "all that are active or failed; also without any verb"),
    "list-jobs": (showing.list_jobs, "what is still to be done"),
    "show": (showing.show, "properties, as systemctl names them [-p NAME,... --value]"),
    "is-active": (showing.is_active, "print the state; status 0 if one is active"),
    "is-failed": (showing.is_failed, "print the state; status 0 if one has failed"),
    "start": (jobs.job("start"), "start units, and all that they need"),
    "stop": (jobs.job("stop"), "stop units, and all that need them"),
    "restart": (jobs.job("restart"), "stop and start"),
    "try-restart": (jobs.job("try-restart"), "the same, if it is active"),
    "reload": (jobs.job("reload"), "let it read its files again (ExecReload=)"),
    "reload-or-restart": (jobs.job("reload-or-restart"), "reload, if it can"),
    "try-reload-or-restart": (jobs.job("try-reload-or-restart"), "the same, if it is active"),
    "kill": (jobs.kill, "send a signal [-s SIGNAL --kill-whom=main|control]"),
    "reset-failed": (jobs.reset_failed, "forget failures and counts"),
    "daemon-reload": (jobs.daemon_reload, "read all unit files again"),
    "exit": (jobs.leave, "stop everything in order, and end the manager"),
    "enable": (files.enable, "let units come up by themselves [--now]"),
    "disable": (files.disable, "the opposite [--now]"),
    "reenable": (files.reenable, "disable, and enable as its file says now"),
    "is-enabled": (files.is_enabled, "print how; status 0 if it comes up"),
    "mask": (files.mask, "make it impossible to start it [--now]"),
    "unmask": (files.unmask, "the opposite"),
    "cat": (files.cat, "print unit files and their drop-ins"),
    "list-unit-files": (files.list_unit_files, "all files, and what is enabled"),
    "list-dependencies": (files.list_dependencies, "whom a unit brings along [--reverse]"),
    "verify": (files.verify, "say what is wrong in unit files"),
    "journal": (
        lambda context, names: 0,
        "what they said, and what happened: see 'ctl journal -h'",
    ),
    "graph": (pictures.graph, "who needs whom and who comes first, as DOT [--svg FILE]"),
    "plot": (pictures.plot, "how the units came up in time [--svg FILE]"),
    "draw": (pictures.draw, "what happened to all processes [--svg, --lanes, --film, --json FILE]"),
}

# systemctl has an option for these of the same name, without a value.
_ABOUT_FILES: Final = frozenset({"enable", "disable", "reenable", "mask", "unmask"})


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers systemctl's exit statuses; exits with 1 where the words are wrong."""
    standard.prepare()
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["journal"]:  # it has options of its own
        return _piped(lambda: journal.main(words[1:]))
    return _piped(lambda: _verb(words))


def _piped(act: Callable[[], int]) -> int:
    try:
        status = act()
        sys.stdout.flush()
    except BrokenPipeError:  # `ctl journal | head`
        standard.close(sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:  # of who follows
        return 130
    return status


def _verb(words: list[str]) -> int:
    try:
        asked = _parser().parse_intermixed_args(words)
    except SystemExit as end:  # wrong words are status 1 to systemctl, and not argparse's 2
        raise SystemExit(1 if end.code else 0) from None
    verb, _ = _VERBS.get(asked.verb, (None, ""))
    if verb is None:
        print(f"Unknown command verb {asked.verb}.{_nearest(asked.verb)}", file=sys.stderr)
        return 1
    if asked.runtime and not asked.names and asked.verb in _ABOUT_FILES:
        taken = (
            f"--runtime has a value here, the manager's folder: it took {asked.runtime} for that."
        )
        print(f"{taken} Links are made in the first folder of units.", file=sys.stderr)
        return 1
    context = Context(Asking((asked.runtime or usual_place()).absolute()), asked)
    try:
        return verb(context, asked.names)
    except (CtlError, NoManagerError, NoStateError) as error:
        print(error, file=sys.stderr)
        return error.status if isinstance(error, CtlError) else 1
    except OSError as error:  # of somebody else's folder
        if isinstance(error, BrokenPipeError):
            raise
        print(f"Failed to {asked.verb}: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, _VERBS))
    verbs = "\n".join(f"  {name:{width}}  {what}" for name, (_, what) in _VERBS.items())
    parser = argparse.ArgumentParser(
        prog="ctl",
        usage="ctl [VERB] [UNIT...] [OPTIONS]",
        description=f"Talks to the manager that 'forklab services' runs.\n\nverbs:\n{verbs}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", nargs="?", default="list-units", help=argparse.SUPPRESS)
    parser.add_argument("names", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--runtime", metavar="DIR", type=Path, help="where the manager is")
    parser.add_argument(
        "--folder",
        metavar="DIR",
        type=Path,
        action="append",
        help="for verbs about files: the unit files here, without any manager",
    )
    parser.add_argument("--no-block", action="store_true", help="do not wait until it is done")
    parser.add_argument("--now", action="store_true", help="start or stop, too")
    parser.add_argument("-a", "--all", action="store_true", help="list inactive units, too")
    parser.add_argument("--failed", action="store_true", help="list those that have failed")
    parser.add_argument("--state", metavar="STATE,...", action="append", default=[])
    parser.add_argument("--plain", action="store_true", help="lists without dots and branches")
    parser.add_argument("--no-legend", action="store_true", help="lists without head and sum")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing")
    parser.add_argument("-n", "--lines", metavar="N", type=int, default=10, help="of the journal")
    parser.add_argument("-p", "--property", metavar="NAME", action="append", default=[])
    parser.add_argument(
        "-P", metavar="NAME", action="append", dest="value_of", default=[], help="-p NAME --value"
    )
    parser.add_argument("--value", action="store_true", help="print values alone")
    parser.add_argument(
        "-t", "--type", metavar="TYPE", help="list units of this kind: service, target"
    )
    parser.add_argument("-s", "--signal", metavar="SIGNAL", default="SIGTERM")
    parser.add_argument(
        "--kill-whom", metavar="WHOM", choices=("all", "main", "control"), default="all"
    )
    parser.add_argument("--reverse", action="store_true", help="who brings the unit along")
    parser.add_argument("--after", action="store_true", help="whom the unit comes after")
    parser.add_argument("--before", action="store_true", help="who comes after the unit")
    parser.add_argument("--svg", metavar="FILE", help="- is standard output")
    parser.add_argument("--lanes", metavar="FILE")
    parser.add_argument("--film", metavar="FILE.html")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--file", metavar="FILE", type=Path, help="a journal that was kept")
    parser.add_argument("--no-pager", action="store_true", help="as ever: there is none")
    return parser


def _nearest(word: str) -> str:
    import difflib

    close = difflib.get_close_matches(word, _VERBS, 1)
    return f" Did you mean {close[0]}?" if close else " See: ctl --help"
