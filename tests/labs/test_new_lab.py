"""`autograder new-lab`: what it makes is graded at once, and holds all that holds for a lab that is young."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import test_every_lab as rules

from autograder.command.cli import main
from autograder.labs.lab import Lab, load_lab
from autograder.labs.mutants import load_mutants
from autograder.labs.scaffold import files_of
from autograder.language.roles import AS_COMMAND, AS_INIT, AS_TOOL

ROOT = Path(__file__).resolve().parents[2]
TOOLS = Path(sys.executable).parent


@pytest.fixture(params=[AS_COMMAND, AS_INIT, AS_TOOL])
def lab(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Lab:
    monkeypatch.chdir(tmp_path)
    assert main(["new-lab", "lamp", "--role", request.param]) == 0
    return load_lab("lamp")


# --- what it makes -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["c", "python"])
def test_a_new_lab_s_solution_loses_nothing(lab: Lab, language: str, mode: str) -> None:
    rules.test_a_solution_loses_nothing(lab, language, mode)


@pytest.mark.parametrize("language", ["c", "python"])
def test_a_new_lab_s_starter_gets_some_points(lab: Lab, language: str, mode: str) -> None:
    rules.test_a_starter_gets_some_points_and_a_message_for_each_that_it_lacks(lab, language, mode)


def test_a_new_lab_s_mutant_is_caught(lab: Lab, mode: str, tmp_path: Path) -> None:
    (mutant,) = load_mutants(lab)
    rules.test_a_mutant_is_caught_by_the_scenarios_that_it_names(
        lab, mutant, mode, tmp_path / "mutant"
    )
    assert set(mutant.caught_by) == {scenario.name for scenario in lab.scenarios}


def test_a_new_lab_says_in_each_file_what_belongs_there(lab: Lab) -> None:
    for path, text in files_of("lamp", lab.bill.role).items():
        assert (lab.folder / path).read_text() == text
        assert "TODO" in text and "$" not in text, path


@pytest.mark.parametrize(
    ("role", "program"), [("command", "lamp"), ("init", "init"), ("tool", "lamp")]
)
def test_a_command_is_called_as_its_lab_is_and_an_init_init(role: str, program: str) -> None:
    programs = {path for path in files_of("lamp", role) if path.endswith((".c", ".py"))}
    assert programs == {
        f"{kind}/{language}/{program}.{suffix}"
        for kind in ("solution", "starter")
        for language, suffix in (("c", "c"), ("python", "py"))
    }


def test_a_new_lab_is_written_as_our_linters_want_it(lab: Lab) -> None:
    programs = [path for path in lab.folder.rglob("*") if path.suffix in (".c", ".py")]
    c = [str(path) for path in programs if path.suffix == ".c"]
    python = [str(path) for path in programs if path.suffix == ".py"]
    assert len(c) == len(python) == 2
    style, settings = (
        f"--style=file:{ROOT / '.clang-format'}",
        f"--config={ROOT / 'pyproject.toml'}",
    )
    subprocess.run([TOOLS / "clang-format", "--dry-run", "--Werror", style, *c], check=True)
    subprocess.run([TOOLS / "ruff", "check", "--no-cache", settings, *python], check=True)
    subprocess.run(
        [TOOLS / "ruff", "format", "--check", "--no-cache", settings, *python], check=True
    )


def test_a_new_lab_links_to_files_that_are_there(lab: Lab) -> None:
    links = re.findall(r"\]\(([^)#]+)", (lab.folder / "README.md").read_text())
    assert links and all((ROOT / "labs" / "init" / link).exists() for link in links)


def test_what_new_labs_are_made_of_is_in_the_package(tmp_path: Path) -> None:
    if not (TOOLS / "uv").exists():
        pytest.skip("uv is not installed here")
    quietly = ["--offline", "--no-cache", "--quiet"]
    command = [TOOLS / "uv", "build", "--wheel", *quietly, "--out-dir", tmp_path, ROOT]
    subprocess.run(command, check=True, timeout=120)
    (wheel,) = tmp_path.glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".template")}
    folder = ROOT / "autograder" / "labs" / "blank"
    assert packed == {str(p.relative_to(ROOT)) for p in folder.rglob("*") if p.is_file()}
    assert len(packed) == len(files_of("lamp", "command"))


# --- what it refuses ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "mend"),
    [
        (["../lamp"], "small letters, digits and _"),
        (["Lamp"], "small letters"),
        (["two words"], "small letters"),
        ([""], "small letters"),
        (["l" * 41], "40 at most"),
        (["main"], "such as my_main"),
        (["init"], "--role init"),
        (["signal"], "such as my_signal"),
    ],
    ids=lambda value: " ".join(value)[:12] if isinstance(value, list) else "",
)
def test_a_name_that_will_not_do_is_refused_in_a_line(
    words: list[str],
    mend: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["new-lab", *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith("autograder: ") and mend in said and said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "labs" / "lamp").mkdir(parents=True)
    assert main(["new-lab", "lamp"]) == 2
    said = "autograder: labs/lamp is there already. Take another name, or remove it first.\n"
    assert capsys.readouterr().err == said
    assert list((tmp_path / "labs" / "lamp").iterdir()) == []


def test_of_a_lab_that_cannot_be_written_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write = Path.write_text

    def full(path: Path, text: str, encoding: str) -> int:
        if path.suffix == ".py":
            raise OSError(28, "No space left on device")
        return write(path, text, encoding)

    monkeypatch.setattr(Path, "write_text", full)
    assert main(["new-lab", "lamp"]) == 2
    said = "autograder: labs/lamp: cannot be written (No space left on device).\n"
    assert capsys.readouterr().err == said
    assert list((tmp_path / "labs").iterdir()) == []
