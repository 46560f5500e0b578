"""Verbs that show how units stand."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

from forklab.ctl.context import Context
from forklab.ctl.journal import short
from forklab.services import journal
from forklab.services.installing import Installation, InstallError
from forklab.services.place import JOURNAL
from forklab.services.values import NAMES_OF_STATUSES

_DOTS = {"active": "●", "reloading": "↻", "failed": "×"}


def list_units(context: Context, names: list[str]) -> int:
    states = context.manager.states(names)
    wanted = {state for states in context.asked.state for state in states.split(",")}
    if context.asked.failed or wanted:
        wanted |= {"failed"} if context.asked.failed else set()
        states = [each for each in states if wanted & {each["load"], each["active"], each["sub"]}]
    elif not context.asked.all:
        states = [each for each in states if each["active"] != "inactive" or each["job"]]
    heads = [] if context.asked.no_legend else [("UNIT", "LOAD", "ACTIVE", "SUB", "DESCRIPTION")]
    keys = ("name", "load", "active", "sub", "description")
    rows = [*heads, *(tuple(each[key] for key in keys) for each in states)]
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
    states = [each["active"] for each in context.manager.states(names)]
    context.say(*states)
    return 0 if {"active", "reloading"} & set(states) else 3


def is_failed(context: Context, names: list[str]) -> int:
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
            print(f"Unit {each['name']} could not be found.")
            found = found or 4
            continue
        print("\n" * bool(number) + "\n".join(_about(context, each)))
        found = found or (0 if each["active"] in ("active", "reloading") else 3)
    return found


def _about(context: Context, each: dict[str, Any]) -> list[str]:
    described = each["description"] if each["description"] != each["name"] else each["name"]
    lines = [f"{_DOTS.get(each['active'], '○')} {each['name']} - {described}"]
    lines.append(f"     Loaded: {each['load']}{_where(context, each)}")
    drop_ins = each["files"][1:]
    lines += [f"    Drop-In: {file}" for file in drop_ins]
    lines.append(f"     Active: {_activity(each)}")
    if each["job"]:
        lines.append(f"        Job: {each['job']}")
    if "main" in each["pids"]:
        lines.append(f"   Main PID: {each['pids']['main']}{_command(each, 'main')}")
    elif each["main_end"] is not None:
        lines.append(f"   Main PID: {_end(each['main_end'])}")
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


def _where(context: Context, each: dict[str, Any]) -> str:
    """Its file, and whether it comes up by itself."""
    if not each["files"]:
        return ""
    folders = context.folders()
    try:
        state = Installation(folders, Path(folders.paths[0])).state(each["name"])
    except InstallError:  # its file is gone meanwhile
        return f" ({each['files'][0]})"
    return f" ({each['files'][0]}; {state})"


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
    wanted = [name for names in context.asked.property for name in names.split(",")]
    for number, each in enumerate(context.manager.states(names)):
        if number and not context.asked.value:
            print()
        properties = _properties(each)
        # In an order of its own, as systemctl does, whatever the one that was asked for.
        for key in properties:
            if not wanted or key in wanted:
                print(properties[key] if context.asked.value else f"{key}={properties[key]}")
    return 0


def _properties(each: dict[str, Any]) -> dict[str, object]:
    """In systemctl's names. What only a service has, a target has not."""
    general = {
        "Id": each["name"],
        "Description": each["description"],
        "LoadState": each["load"],
        "ActiveState": each["active"],
        "SubState": each["sub"],
        "FragmentPath": (each["files"] or [""])[0],
        "DropInPaths": " ".join(each["files"][1:]),
        "Job": each["job"],
    }
    if not each["name"].endswith(".service"):
        return general
    main = each["main_end"]
    of_a_service = {
        "Result": each["result"],
        "NRestarts": each["restarts"],
        "MainPID": each["pids"].get("main", 0),
        "ControlPID": each["pids"].get("control", 0),
        "ExecMainStatus": 0 if main is None else main & 0x7F or main >> 8,
        "ExecMainCode": 0 if main is None else 1 if not main & 0x7F else 3 if main & 0x80 else 2,
        "StatusText": each["status"],
    }
    return of_a_service | general
