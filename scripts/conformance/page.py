"""docs/conformance.md: what was seen, with the reasons, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from conformance.played import HERE, Finding, Program, Promise, asked_of, promises

Failed = Mapping[str, Sequence[object]]  # by lab/number: the line, and what was seen there

_LETTERS = {"policy": "p", "unsaid": "u", "bug": "b"}


def page(
    results: Mapping[str, Failed],
    programs: Sequence[Program],
    versions: Mapping[str, str],
    *,
    date: str,
    system: str,
    missing: Sequence[str],
) -> str:
    text = _read("head.md").format(date=date, system=system, count=len(programs))
    text += _table("Those that end with their command", results, programs, stays=False)
    text += _table("Those that stay", results, programs, stays=True)
    text += "".join(f"\n{line}\n" for line in missing)
    text += "\n" + _read("pictures.md")
    text += "\n## What is asked\n\n| | | scenes |\n|---|---|---|\n"
    for promise in promises():
        text += f"| {promise.title} | {promise.asks} | {_scenes(promise.scenes)} |\n"
    text += (
        "\n## Not asked\n\nOf a program that stays no scene is played beyond the end of main, and"
        " some promises make no sense for it:\n\n"
    )
    for promise in promises():
        if promise.stays:
            text += f"- *{promise.title}*: {promise.stays}.\n"
    text += "\n## Program by program\n"
    for program in programs:
        text += _about(program, versions.get(program.package, ""), results[program.name])
    return text


def _table(
    title: str, results: Mapping[str, Failed], programs: Sequence[Program], *, stays: bool
) -> str:
    asked = [promise for promise in promises() if not (stays and promise.stays)]
    text = f"\n## {title}\n\n| | {' | '.join(promise.title for promise in asked)} |\n"
    text += "|---" * (len(asked) + 1) + "|\n"
    for program in programs:
        if program.stays is stays:
            cells = (_cell(program, promise, results[program.name]) for promise in asked)
            text += f"| [{program.name}](#{_anchor(program)}) | {' | '.join(cells)} |\n"
    return text


def _cell(program: Program, promise: Promise, failed: Failed) -> str:
    mine = [key for key, (one, _, _) in asked_of(program).items() if one.name == promise.name]
    lost = [key for key in mine if key in failed]
    if not lost:
        return "✓"
    kinds = {finding.kind for key in lost for finding in reasons(program, key)}
    letters = "".join(letter for kind, letter in _LETTERS.items() if kind in kinds)
    return f"{len(mine) - len(lost)}/{len(mine)} {letters}"


def reasons(program: Program, key: str) -> list[Finding]:
    return [finding for finding in program.findings if key in finding.scenes]


def _about(program: Program, version: str, failed: Failed) -> str:
    name = f"{program.package} {version}" if program.package else "This repository"
    if program.name == "nobody":
        name = "No program"
    words = " ".join(program.run).replace("|", "\\|") or program.solution
    text = (
        f"\n### {program.name}\n\n{program.what[0].upper()}{program.what[1:]}. {name}; `{words}`\n"
    )
    if program.wakes_after:
        text += f"It looks for the dead when it wakes up, and is given {program.wakes_after} for that.\n"
    if not failed:
        return text + "\nKeeps all that is asked of it.\n"
    text += "\n"
    for finding in program.findings:
        text += (
            f"- **{finding.kind}**: {finding.why} [Where]({finding.source}):"
            f" {_scenes(finding.scenes)}\n"
        )
    return text


def _scenes(keys: Sequence[str]) -> str:
    labs = dict.fromkeys(key.partition("/")[0] for key in keys)
    return "; ".join(
        f"{lab} {' '.join(key[-2:] for key in keys if key.startswith(f'{lab}/'))}" for lab in labs
    )


def _anchor(program: Program) -> str:
    return program.name.replace(" ", "-")


def _read(name: str) -> str:
    """A part of the page that is written by hand."""
    return (HERE / name).read_text("utf-8")
