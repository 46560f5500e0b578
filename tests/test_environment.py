"""What stands around the code: the lists of packages agree, and `make` says plainly what a machine lacks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import cache_from_source
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCK = (ROOT / "requirements.lock").read_text()

# conda-forge's graphviz is the program, its playwright the one of Node.js.
CONDA_NAMES = {"graphviz": "python-graphviz", "playwright": "playwright-python"}
PROGRAMS = {
    "bubblewrap",
    "c-compiler",
    "graphviz",
    "make",
    "pip",
    "python",
}  # not on PyPI, or not for pyproject


def required(*, extras: bool = True, groups: bool = False) -> list[Requirement]:
    lines = list(PYPROJECT["project"]["dependencies"])
    if extras:
        for extra in PYPROJECT["project"]["optional-dependencies"].values():
            lines += extra
    if groups:
        for group in PYPROJECT["dependency-groups"].values():
            lines += group
    return [Requirement(line) for line in lines]


def locked() -> dict[str, tuple[str, int]]:
    """The lock's packages: name to version (empty when it has none) and number of hashes."""
    packages = {}
    for entry in re.split(r"^(?=[^ #\n])", LOCK, flags=re.MULTILINE)[1:]:
        name, version = re.match(r"([\w.-]+)(?:==)?(\S*)", entry).groups()
        packages[name] = (version, len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry)))
    return packages


def needed_by(requirement: Requirement, seen: set[str]) -> Iterator[Requirement]:
    """`requirement` and all that it needs on this machine, as the installed packages tell."""
    yield requirement
    key = str(requirement)
    if key in seen:
        return
    seen.add(key)
    for line in distribution(requirement.name).requires or []:
        child = Requirement(line)
        extras = requirement.extras or {""}
        if child.marker is None or any(child.marker.evaluate({"extra": extra}) for extra in extras):
            yield from needed_by(child, seen)


def make(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CONDA", "MAKE"))}
    return subprocess.run(
        ["make", *arguments],
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def set_up(
    machine: Path, into: str = ".venv", **environment: str
) -> subprocess.CompletedProcess[str]:
    """What the set-up says on `machine`. It works on a copy: what it finds unfinished it removes."""
    return subprocess.run(
        ["/bin/sh", machine / "clone" / "scripts" / "setup.sh", into, "base"],
        cwd=machine,
        env={"PATH": str(machine), "TMPDIR": str(machine)} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The programs of a bare Debian: python3 without its venv half, no compiler, no bubblewrap, no way to root."""
    for name in ("dirname", "mktemp", "rm", "sh"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    (tmp_path / "clone" / "scripts").mkdir(parents=True)
    shutil.copy(ROOT / "scripts" / "setup.sh", tmp_path / "clone" / "scripts")
    shutil.copy(ROOT / "requirements.lock", tmp_path / "clone")
    program(tmp_path, "uname", "echo Linux")
    program(tmp_path, "id", "echo 1000")
    program(tmp_path, "sudo", "exit 1")
    program(tmp_path, "apt-get", "echo apt-get must not be called; exit 1")
    # Old enough or not; with ensurepip or not; which minor version.
    program(
        tmp_path,
        "python3",
        """case "$2" in *ensurepip*) exit 1 ;; *print*) echo python3.12-venv ;; *) exit 0 ;; esac""",
    )
    return tmp_path


# --- the lists of packages ---------------------------------------------------------------------------------------


def test_conda_gets_the_packages_and_versions_of_pyproject():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    conda = {}
    for line in listed:
        name, _, versions = line.partition(" ")
        conda[name] = SpecifierSet(versions)
    pyproject = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in required(groups=True)}

    assert {k: v for k, v in conda.items() if k not in PROGRAMS} == pyproject
    assert conda["python"] == SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert set(conda) >= PROGRAMS


def test_binder_gets_the_environment_of_conda():
    assert (ROOT / "binder" / "environment.yml").resolve() == ROOT / "environment.yml"


def test_the_lock_gives_every_package_a_version_and_hashes():
    packages = locked()
    assert len(packages) > len(required())
    for name, (version, hashes) in packages.items():
        assert Version(version) and hashes > 0, name


def test_the_lock_holds_what_pyproject_asks_for():
    packages = locked()
    for requirement in required(groups=True):
        version, _ = packages[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), requirement


def test_the_lock_holds_what_the_packages_ask_for():
    packages = locked()
    seen: set[str] = set()
    for wanted in required():
        if wanted.marker is not None and not wanted.marker.evaluate():
            continue
        try:
            for requirement in needed_by(wanted, seen):
                version, _ = packages[canonicalize_name(requirement.name)]
                assert requirement.specifier.contains(version, prereleases=True), requirement
        except PackageNotFoundError as missing:
            pytest.fail(f"{wanted} is not whole here: {missing}")


def test_the_lock_names_no_address_and_no_folder():
    assert not re.search(r"\w://|(?<!\w)/\w|--index|--find-links", LOCK)


def test_the_locked_uv_builds_forklab_without_fetching_anything():
    (builder,) = (Requirement(line) for line in PYPROJECT["build-system"]["requires"])
    assert builder.name == "uv_build"
    assert builder.specifier.contains(Version(locked()["uv"][0]))


def test_each_console_command_can_be_imported():
    for command, target in PYPROJECT["project"]["scripts"].items():
        module, _, function = target.partition(":")
        assert callable(getattr(__import__(module, fromlist=[function]), function)), command


def test_the_settings_of_the_container_are_json():
    settings = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    assert (ROOT / ".devcontainer" / settings["build"]["dockerfile"]).is_file()


# --- make and the set-up -----------------------------------------------------------------------------------------


def test_make_alone_lists_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    listed = re.findall(r"^  make (\w+) ", make().stdout, re.MULTILINE)
    assert sorted(listed) == sorted(phony.group(1).split())


def test_make_uses_the_active_conda_environment():
    plan = make("-n", "check", "SUBMISSION=x", CONDA_PREFIX="/conda/envs/course").stdout
    assert "/conda/envs/course/bin/autograder check init" in plan


@pytest.mark.parametrize("conda", [{}, {"CONDA_PREFIX": "/conda", "CONDA_DEFAULT_ENV": "base"}])
def test_make_uses_its_own_environment_without_one_of_conda(conda):
    assert (
        "\n.venv/bin/autograder check init"
        in make("-n", "-B", "check", "SUBMISSION=x", **conda).stdout
    )


def test_grading_without_submissions_makes_and_takes_the_demo_class():
    plan = make("-n", "-B", "grade").stdout
    assert plan.index("autograder demo init --out build/class/init") < plan.index(
        'autograder grade init "build/class/init" --out "build/grades/init"'
    )


def test_grading_takes_the_submissions_it_is_given():
    plan = make("-n", "-B", "grade", "SUBMISSIONS=fall term", "OUT=marks", "JOBS=3").stdout
    assert 'autograder grade init "fall term" --out "marks" --jobs 3' in " ".join(plan.split())
    assert "--trusting" not in plan  # that is for the demo class alone
    assert "demo" not in plan


@pytest.mark.parametrize("system", ["Darwin", "MINGW64_NT-10.0"])
def test_another_system_hears_that_linux_is_needed(machine, system):
    program(machine, "uname", f"echo {system}")
    answer = set_up(machine)
    assert answer.returncode == 1
    assert system in answer.stderr
    for way in ("WSL2", "container", "virtual machine"):
        assert way in answer.stderr


def test_without_root_the_one_command_to_type_is_named(machine):
    answer = set_up(machine)
    assert answer.returncode == 1
    assert (
        "    sudo sh -c 'apt-get update && apt-get install -y python3.12-venv gcc libc6-dev bubblewrap'\n"
        in answer.stderr
    )
    assert "must not be called" not in answer.stdout + answer.stderr


def test_without_apt_the_missing_packages_are_named(machine):
    (machine / "apt-get").unlink()
    answer = set_up(machine)
    assert answer.returncode == 1
    assert "lacks: python3.12-venv gcc libc6-dev bubblewrap\n" in answer.stderr
    assert "apt-get" not in answer.stderr


def test_bubblewrap_alone_can_be_done_without(machine):
    program(machine, "cc", "exit 0")
    program(machine, "python3", "exit 0")
    assert "make setup WITHOUT_BUBBLEWRAP=1" in set_up(machine).stderr
    assert "lacks" not in set_up(machine, WITHOUT_BUBBLEWRAP="1").stderr


def test_root_installs_with_apt_and_shows_its_words_when_that_fails(machine):
    program(machine, "id", "echo 0")
    program(machine, "env", 'echo "E: told: $*"; exit 100')
    (machine / "cat").symlink_to(str(shutil.which("cat")))
    answer = set_up(machine)
    assert answer.returncode == 1
    assert re.search(
        r"E: told: .* install .* python3.12-venv gcc libc6-dev bubblewrap\n", answer.stderr
    )


def test_an_old_python_is_called_by_its_version(machine):
    program(machine, "python3", 'test "$1" = --version || exit 1; echo Python 3.9.2')
    answer = set_up(machine)
    assert answer.returncode == 1
    assert "python3 is Python 3.9.2" in answer.stderr
    assert "3.11 or newer" in answer.stderr
    assert "PYTHON3=" in answer.stderr


def test_a_set_up_that_fails_leaves_nothing_in_the_temporary_folder(machine):
    before = sorted(machine.iterdir())
    assert set_up(machine).returncode == 1
    assert sorted(machine.iterdir()) == before


def test_commands_find_their_modules_compiled_where_nobody_may_write_them(machine):
    sources = [machine / "clone" / package / "module.py" for package in ("forklab", "autograder")]
    for source in sources:
        source.parent.mkdir()
        source.touch()
    (machine / "conda" / "bin").mkdir(parents=True)
    program(machine / "conda" / "bin", "python", f'exec "{sys.executable}" "$@"')
    for folder, name in ((machine / "conda" / "bin", "uv"), (machine, "cc"), (machine, "bwrap")):
        program(folder, name, "exit 0")
    done = set_up(machine, str(machine / "conda"), PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 0, done.stderr
    assert all(Path(cache_from_source(source)).exists() for source in sources)
