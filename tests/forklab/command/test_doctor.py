"""`forklab doctor` tries each thing, says how to get what is missing, and is content without what is not needed."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest
from refusing import below

from forklab.command import doctor
from forklab.command.main import main

DOCTOR = (sys.executable, "-m", "forklab.command.main", "doctor")


def findings() -> dict[str, doctor.Finding]:
    return {finding.about: finding for finding in doctor.examined()}


def test_what_all_tests_need_works_here() -> None:
    found = findings()
    assert [about for about, one in found.items() if one.needed and not one.works] == []
    assert found["the lens"].words == "records programs, in virtual time"


def test_without_a_compiler_it_says_who_brings_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert main(["doctor"]) == 1
    missing = [line for line in capsys.readouterr().out.splitlines() if line.startswith("✗")]
    assert len(missing) == 1 and missing[0].startswith("✗ C compiler")
    assert "'no-such-compiler' was not found" in missing[0] and "sudo apt install gcc" in missing[0]


def test_without_ptrace_it_says_what_a_container_needs() -> None:
    done = below({"ptrace"}, *DOCTOR)
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert [line for line in lines if "✗ the lens" in line and "SYS_PTRACE" in line]
    assert not [line for line in lines if "PID namespaces" in line]  # it could not be tried


def test_without_namespaces_it_is_content() -> None:
    done = below({"unshare"}, *DOCTOR)
    assert done.returncode == 0
    assert [line for line in done.stdout.splitlines() if line.startswith("· PID namespaces")]


def test_without_jupyterlab_and_small_tools_it_is_content(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def none_is_installed(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "version", none_is_installed)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: None)
    found = findings()
    assert "make lab" in found["notebooks"].words
    assert "no ps, pkill, pstree, unshare: sudo apt install" in found["small tools"].words
    assert not any(
        found[about].works or found[about].needed for about in ("notebooks", "small tools")
    )


@pytest.mark.parametrize("command", ["forklab.command.main", "autograder.command.cli"])
def test_the_version_is_told(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ending:
        importlib.import_module(command).main(["--version"])
    assert ending.value.code in (0, None)
    assert capsys.readouterr().out.split()[1] == importlib.metadata.version("forklab")
