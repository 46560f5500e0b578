"""Whether a file can be executed here, and if not, words that help where execve(2) has only a number."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.submission.executable import check_executable
from autograder.submission.intake import BuildError

SOURCE = "int main(void) { return 0; }\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "init"


@pytest.fixture(scope="session")
def elf(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A program that this machine can execute."""
    folder = tmp_path_factory.mktemp("elf")
    (folder / "a.c").write_text(SOURCE)
    subprocess.run(["cc", "-o", "a", "a.c"], cwd=folder, check=True, timeout=60)
    return (folder / "a").read_bytes()


def write_executable(path: Path, content: str | bytes) -> None:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    path.chmod(0o755)


def complaint(file: Path) -> str:
    with pytest.raises(BuildError) as caught:
        check_executable(file)
    return str(caught.value)


@pytest.mark.parametrize(
    "shebang", ["#!/bin/sh", "#! /bin/sh -e", "#!/usr/bin/env sh", "#!/usr/bin/env -S A=b sh -e"]
)
def test_a_script_with_an_interpreter_is_fine(file, shebang):
    write_executable(file, f"{shebang}\nexit 0\n")
    check_executable(file)


@pytest.mark.parametrize("linking", ["-pie", "-no-pie", "-static", "-static-pie"])
def test_a_program_is_fine_however_it_is_linked(file, tmp_path, linking):
    (tmp_path / "a.c").write_text(SOURCE)
    command = ["cc", linking, "-o", file, "a.c"]
    if subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60).returncode != 0:
        pytest.skip(f"this machine cannot link with {linking}")
    check_executable(file)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "init is an empty file."),
        ("echo hi\n", "init is neither a compiled program nor a script that begins with #!."),
        ("#!/bin/sh\r\necho hi\r\n", "init has the line ends of Windows"),
        ("#!\n", "#! without an interpreter"),
        ("#!python3\n", "not python3.\n  Write: #!/usr/bin/env python3"),
        ("#!/usr/local/bin/no-such\n", "says that /usr/local/bin/no-such runs it"),
        ("#!/usr/bin/env no-such\n", "says that no-such runs it"),
        ("#!/" + "x" * 300, "is longer than 255 characters"),
        (b"MZ\x90\0", "is a program for Windows; this is Linux."),
        (b"\xcf\xfa\xed\xfe\0", "is a program for macOS; this is Linux."),
        (b"\x7fELF and nothing else", "begins like a compiled program but is damaged"),
    ],
)
def test_what_cannot_be_executed_is_told_with_the_mend(file, content, message):
    write_executable(file, content)
    assert message in complaint(file)


def test_a_missing_x_permission_is_told_with_the_mend(file):
    file.write_text("#!/bin/sh\n")
    assert (
        complaint(file) == "init is not executable: it has no x permission.\n  Type: chmod +x init"
    )


def test_a_program_for_another_machine_names_both(file, elf):
    if elf[18:20] == b"\xb7\0":
        pytest.skip("this machine is a 64-bit ARM")
    write_executable(file, elf[:18] + b"\xb7\0" + elf[20:])
    assert complaint(file).startswith("init is built for 64-bit ARM, this machine is ")


def test_a_32_bit_program_is_told_so(file):
    header = b"\x7fELF\x01\x01\x01" + bytes(9) + b"\x02\0\x03\0\x01\0\0\0" + b"\0\x80\x04\x08" * 3
    header += bytes(4) + b"\x34\0\x20\0\0\0\x28\0\0\0\0\0"
    write_executable(file, header)
    assert "init is built for 32-bit x86, this machine is" in complaint(file)


def test_an_object_file_is_told_so(file, tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    subprocess.run(["cc", "-c", "a.c", "-o", file], cwd=tmp_path, check=True, timeout=60)
    assert "it is compiled but not linked" in complaint(file)


def test_a_library_is_told_so(file, tmp_path):
    (tmp_path / "a.c").write_text("int answer(void) { return 42; }\n")
    command = ["cc", "-shared", "-fPIC", "-nostdlib", "-o", file, "a.c"]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert "is a library or a core dump, not a program" in complaint(file)


def test_a_missing_loader_is_told_so(file, tmp_path):
    (tmp_path / "a.c").write_text(SOURCE)
    command = [
        "cc",
        "-Wl,--dynamic-linker=/lib/ld-elsewhere.so.1",
        "-o",
        file,
        "a.c",
    ]
    subprocess.run(command, cwd=tmp_path, check=True, timeout=60)
    assert "init needs the loader /lib/ld-elsewhere.so.1" in complaint(file)


@settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200
)
@given(st.data())
def test_a_damaged_program_raises_nothing_but_a_build_failure(tmp_path, elf, data):
    damaged = bytearray(elf[: data.draw(st.integers(4, len(elf)))])
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(
            st.integers(4, min(len(damaged) - 1, 600)) if len(damaged) > 5 else st.just(3)
        )
        damaged[place] = data.draw(st.integers(0, 255))
    path = tmp_path / "init"
    path.write_bytes(damaged)
    try:
        check_executable(path)
    except BuildError as failure:
        assert str(failure)
