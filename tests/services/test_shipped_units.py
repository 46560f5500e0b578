"""systemd itself accepts every unit that ships with the project: in files, and in the cells of notebooks."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SUFFIXES = (".service", ".target")
_FILE_CELL = re.compile(r"%%(?:writefile|file|unit)\s+(?:\S*/)?(\S+\.(?:service|target))[^\n]*\n")


def shipped() -> Iterator[tuple[str, str, str]]:
    """Where it stands, its name, its text."""
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in tracked:
        path = PROJECT / name
        if path.suffix in SUFFIXES and path.is_file():
            yield name, path.name, path.read_text()
        elif path.suffix == ".ipynb":
            for number, cell in enumerate(json.loads(path.read_text())["cells"]):
                if cell["cell_type"] == "code":
                    for unit, text in units_in("".join(cell["source"])):
                        yield f"{name}, cell {number}", unit, text


def units_in(source: str) -> Iterator[tuple[str, str]]:
    """The units of a cell: what it writes to a file, and strings that are one. A blank in one stands for a program."""
    if written := _FILE_CELL.match(source):
        yield written[1], source[written.end() :]
        return
    try:
        tree = ast.parse(re.sub(r"^[%!].*$", "pass", source, flags=re.MULTILINE))
    except SyntaxError:
        return
    whole = (ast.JoinedStr, ast.Constant)
    within = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    for number, node in enumerate(ast.walk(tree)):
        if isinstance(node, whole) and id(node) not in within:
            text = _text(node)
            if "[Service]\n" in text and "ExecStart=" in text:
                yield f"cell{number}.service", text


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(map(_text, node.values))
    if isinstance(node, ast.FormattedValue):
        return "/bin/true"
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def complaints(folder: Path, names: list[str]) -> str:
    """All that systemd-analyze says: it exits 0 on keys that it does not know, so its words count."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
        cwd=folder,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SYSTEMD_UNIT_PATH": f"{folder}:"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr + (f"exit status {done.returncode}" if done.returncode else "")


@pytest.fixture
def analyze() -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")


@pytest.mark.usefixtures("analyze")
def test_systemd_accepts_every_unit_that_ships(tmp_path: Path) -> None:
    found = list(shipped())
    for number, (_, name, text) in enumerate(found):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / name).write_text(text)
    wrong = {
        f"{where}: {name}": said
        for number, (where, name, _) in enumerate(found)
        if (said := complaints(tmp_path / str(number), [name]))
    }
    assert not wrong


@pytest.mark.usefixtures("analyze")
@pytest.mark.parametrize(
    "line", ["Nonsense=1", "RestartSec=soon", "Restart=sometimes", "no equals sign"]
)
def test_a_wrong_line_does_not_get_through(tmp_path: Path, line: str) -> None:
    text = f"[Service]\nType=oneshot\nExecStart=/bin/true\n{line}\n"
    (tmp_path / "wrong.service").write_text(text)
    assert complaints(tmp_path, ["wrong.service"])


def test_units_in_cells_are_found() -> None:
    magic = "%%writefile units/web.service\n[Service]\nExecStart=/bin/true\n"
    string = 'unit = """[Service]\nExecStart=/bin/true\n"""\nother = f"[Service]\\nExecStart={program}\\n"'
    assert list(units_in(magic)) == [("web.service", "[Service]\nExecStart=/bin/true\n")]
    texts = [text for _, text in units_in(string)]
    assert texts == ["[Service]\nExecStart=/bin/true\n"] * 2
