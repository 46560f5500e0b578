"""Verbs that show how units stand."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Any, Final

from forklab.ctl.context import Context, some
from forklab.ctl.journal import short
from forklab.services import journal
from forklab.services.installing import Installation, InstallError
from forklab.services.place import JOURNAL
from forklab.services.values import NAMES_OF_STATUSES

_DOTS = {
    **dict.fromkeys(("active", "activating", "deactivating"), "●"),
    **{"reloading": "↻", "failed": "×"},
}


def list_units(context: Context, names: list[str]) -> int:
    states = context.manager.states(names)
    wanted = {state for states in context.asked.state for state in states.split(",")}
    if context.asked.failed or wanted:
        wanted |= {"failed"} if context.asked.failed else set()
        states = [each for each in states if wanted & {each["load"], each["active"], each["sub"]}]
    elif not context.asked.all:
        states = [each for each in states if each["active"] != "inactive" or each["job"]]
    if context.asked.type:
        states = [each for each in states if each["name"].endswith(f".{context.asked.type}")]
    states.sort(key=lambda each: (each["name"].rpartition(".")[2], each["name"].lower()))
    jobs = ["job"] * any(each["job"] for each in states)
    keys = ("load", "active", "sub", *jobs, "description")
    heads = [] if context.asked.no_legend else [("UNIT", *map(str.upper, keys))]
    rows = [*heads, *(tuple(each[key] for key in ("name", *keys)) for each in states)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        *cells, last = row
        aligned = [f"{cell:{width}}" for cell, width in zip(cells, widths, strict=False)]
        dot = "●" if "failed" in row or "not-found" in row else " "
        print("" if context.asked.plain else f"{dot} ", " ".join([*aligned, last]), sep="")
    if not context.asked.no_legend:
        print(f"\n{len(states)} units listed.")
        if not context.asked.all:
            print("Pass --all to see inactive units, too.")
    return 0


def list_jobs(context: Context, names: list[str]) -> int:
    waiting = [each for each in context.manager.states() if each["job"]]
    for each in waiting:
        print(f"{each['name']} {each['job']} {each['sub']}")
    print(f"\n{len(waiting)} jobs listed." if waiting else "No jobs running.")
    return 0


def is_active(context: Context, names: list[str]) -> int:
    some(names)
    states = [each["active"] for each in context.manager.states(names)]
    context.say(*states)
    return 0 if {"active", "reloading"} & set(states) else 3


def is_failed(context: Context, names: list[str]) -> int:
    some(names)
    states = [each["active"] for each in context.manager.states(names)]
    context.say(*states)
    return 0 if "failed" in states else 1


def status(context: Context, names: list[str]) -> int:
    """3: one is not active; 4: there is no such unit."""
    if not names:
        return list_units(context, names)
    found = 0
    for number, each in enumerate(context.manager.states(names)):
        if each["load"] == "not-found" and each["active"] == "inactive":
            print(f"Unit {each['name']} could not be found.", file=sys.stderr)
            found = found or 4
            continue
        if each["outdated"]:
            sys.stdout.flush()
            print(each["outdated"], file=sys.stderr, flush=True)
        print(
            "\n" * bool(number) + "\n".join(_about(context, each, _enabled(context, each["name"])))
        )
        found = found or (0 if each["active"] in ("active", "reloading") else 3)
    return found


def _about(context: Context, each: dict[str, Any], enabled: str) -> list[str]:
    described = f" - {each['description']}" if each["description"] != each["name"] else ""
    lines = [f"{_DOTS.get(each['active'], '○')} {each['name']}{described}"]
    lines.append(f"     Loaded: {each['load']}{_whence(each, enabled)}")
    folders: dict[str, list[str]] = {}
    for file in each["files"][1:]:
        folder, _, name = file.rpartition("/")
        folders.setdefault(folder, []).append(name)
    for place, (folder, names) in enumerate(folders.items()):
        lines.append(f"    Drop-In: {folder}" if not place else f"             {folder}")
        lines.append(f"             └─{', '.join(names)}")
    lines.append(f"     Active: {_activity(each)}")
    for number, page in enumerate(each["documentation"]):
        lines.append(f"       Docs: {page}" if not number else f"             {page}")
    if each["job"]:
        lines.append(f"        Job: {each['job']}")
    if "main" in each["pids"]:
        lines.append(f"   Main PID: {each['pids']['main']}{_command(each, 'main')}")
    elif each["main_end"] is not None:
        who = f"{each['last_main']} " if each["last_main"] else ""
        lines.append(f"   Main PID: {who}{_end(each['main_end'])}")
    if "control" in each["pids"]:
        lines.append(f"    Control: {each['pids']['control']}{_command(each, 'control')}")
    if each["status"]:
        lines.append(f'     Status: "{each["status"]}"')
    if each["processes"]:
        lines.append(f"  Processes: {len(each['processes'])} below keeper {each['pids']['keeper']}")
        lines += [
            f"             {line}" for line in _tree(each["processes"], each["pids"]["keeper"])
        ]
    last = _last_lines(context, each["name"])
    return [*lines, *([""] if last else []), *last]


def _whence(each: dict[str, Any], enabled: str) -> str:
    """From which file, and whether it comes up by itself; or why it cannot come up at all."""
    reasons = {
        "not-found": "not found",
        "masked": "is masked",
        "bad-setting": "has a bad unit file setting",
        "error": "failed to load properly",
    }
    if why := reasons.get(each["load"]):
        return f" (Reason: Unit {each['name']} {why}.)"
    return f" ({'; '.join(filter(None, (each['files'][0], enabled)))})" if each["files"] else ""


def _enabled(context: Context, name: str) -> str:
    """As `is-enabled` has it; nothing if there is no file."""
    try:
        return Installation.of(context.folders()).state(name)
    except InstallError:
        return ""


def _activity(each: dict[str, Any]) -> str:
    sub = f" ({each['sub']})" if each["sub"] != each["active"] else ""
    why = f" (Result: {each['result']})" if each["result"] != "success" else ""
    text = f"{each['active']}{sub}{why}"
    if each["since"]:
        at = time.strftime("%a %Y-%m-%d %H:%M:%S %Z", time.localtime(each["since"]))
        text += f" since {at}; {_ago(time.time() - each['since'])} ago"
    return text


def _ago(seconds: float) -> str:
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    minutes, seconds = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}min {seconds}s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h {minutes}min" if hours < 24 else f"{hours // 24}d {hours % 24}h"


def _end(wait_status: int) -> str:
    code = os.waitstatus_to_exitcode(wait_status)
    if code < 0:
        return f"(code=killed, signal={_name(-code)})"
    name = NAMES_OF_STATUSES.get(code, "")
    return f"(code=exited, status={code}{f'/{name}' if name else ''})"


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name.removeprefix("SIG")
    except ValueError:
        return str(number)


def _command(each: dict[str, Any], role: str) -> str:
    names = {process["pid"]: process["name"] for process in each["processes"]}
    name = names.get(each["pids"][role])
    return f" ({name})" if name else ""


def _tree(processes: list[dict[str, Any]], root: int, before: str = "") -> list[str]:
    lines = []
    below = [process for process in processes if process["parent"] == root]
    for process in below:
        last = process is below[-1]
        lines.append(f"{before}{'└─' if last else '├─'}{process['pid']} {process['command']}")
        lines += _tree(processes, process["pid"], before + ("  " if last else "│ "))
    return lines


def _last_lines(context: Context, name: str) -> list[str]:
    try:
        records = journal.latest(context.manager.place / JOURNAL)
        said = [record for record in records if record.unit == name and record.text]
    except OSError:
        return []
    return [short(record) for record in said[len(said) - context.asked.lines :]]


def show(context: Context, names: list[str]) -> int:
    asked = context.asked
    wanted = [name for names in (*asked.property, *asked.value_of) for name in names.split(",")]
    values_alone = asked.value or asked.value_of
    for number, each in enumerate(context.manager.states(names)):
        if number:
            print()
        enabled = _enabled(context, each["name"]) if each["load"] == "loaded" else ""
        found = _properties(each) | {"UnitFileState": enabled}
        # In an order of its own, as systemctl does, whatever the one that was asked for.
        for key in (key for key in _ORDER.split() if key in found):
            value = found[key]
            values = value if isinstance(value, list) else [value]
            if key in wanted or (not wanted and (asked.all or values not in ([""], [None]))):
                for value in values:
                    print(value if values_alone else f"{key}={value}")
    return 0


def _properties(each: dict[str, Any]) -> dict[str, object]:
    """In systemctl's names: the settings, and how it stands. What only a service has, a target has not."""
    started = "no" if each["active"] == "inactive" else "yes"  # of who is gone it is forgotten
    general: dict[str, object] = {
        **each["settings"],
        "Id": each["name"],
        "NeedDaemonReload": "yes" if each["outdated"] else "no",
        "ActiveState": each["active"],
        "SubState": each["sub"],
        "Job": each["job"],
        "ConditionResult": "yes" if each["condition"] else "no",
        "AssertResult": started,
    }
    if not each["name"].endswith(".service"):
        return general
    main = each["main_end"]
    return general | {
        "Result": each["result"],
        "NRestarts": each["restarts"],
        "MainPID": each["pids"].get("main", 0),
        "ControlPID": each["pids"].get("control", 0),
        "ExecMainPID": each["last_main"],
        "ExecMainStatus": 0 if main is None else main & 0x7F or main >> 8,
        "ExecMainCode": 0 if main is None else 1 if not main & 0x7F else 3 if main & 0x80 else 2,
        "StatusText": each["status"],
    }


_ORDER: Final = """
    Type Restart PIDFile NotifyAccess RestartUSec TimeoutStartUSec TimeoutStopUSec WatchdogUSec RemainAfterExit
    RestartPreventExitStatus SuccessExitStatus MainPID ControlPID StatusText Result NRestarts ExecMainPID ExecMainCode
    ExecMainStatus ExecStartPre ExecStart ExecStartPost ExecReload ExecStop ExecStopPost Environment EnvironmentFiles
    WorkingDirectory StandardOutput StandardError User Group KillMode KillSignal SendSIGKILL Id Names Requires Wants
    BindsTo PartOf Conflicts Before After OnFailure Documentation Description LoadState ActiveState SubState
    FragmentPath DropInPaths UnitFileState CanReload Job NeedDaemonReload DefaultDependencies ConditionResult
    AssertResult StartLimitIntervalUSec StartLimitBurst
"""
