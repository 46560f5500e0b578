"""What is compiled once and kept: with what works on this machine."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from forklab.built import CannotBuildError, built

SOURCE = "int main(void) { return 7; }"


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    path = tmp_path / "seven.c"
    path.write_text(SOURCE)
    return path


def test_flags_that_do_not_work_here_are_left_out(source: Path) -> None:
    program = built("seven", source, (), need="", what="", best=("-fno-such-flag",))
    assert subprocess.run([program]).returncode == 7


def test_it_is_compiled_once_and_again_if_its_source_is_another(source: Path) -> None:
    first = built("seven", source, (), need="", what="")
    made = first.stat().st_mtime_ns
    assert built("seven", source, (), need="", what="").stat().st_mtime_ns == made
    source.write_text(SOURCE.replace("7", "8"))
    second = built("seven", source, (), need="", what="")
    assert subprocess.run([second]).returncode == 8 and second.parent == first.parent


def test_what_does_not_compile_is_told(source: Path) -> None:
    source.write_text("int main(")
    with pytest.raises(CannotBuildError, match=r"seven\.c does not compile here"):
        built("seven", source, (), need="", what="seven.c", best=("-static",))
