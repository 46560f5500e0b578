"""What `make corpus` counts."""

from __future__ import annotations

import runpy
from pathlib import Path

SCRIPT = runpy.run_path(str(Path(__file__).parents[2] / "scripts" / "corpus.py"))


def test_a_service_is_verified_only_if_each_of_its_lines_is_understood(tmp_path: Path) -> None:
    place = tmp_path / "lib" / "systemd" / "system"
    place.mkdir(parents=True)
    for name, lines in {
        "good": "ExecStart=/bin/true\nProtectSystem=strict",
        "template@": "ExecStart=/bin/true %i",
        "unknown": "ExecStart=/bin/true\nNonsense=1",
        "refused": "ExecStart=bin/true",
    }.items():
        (place / f"{name}.service").write_text(f"[Service]\n{lines}\n")
    (place / "alias.service").symlink_to("good.service")
    found = {each.name: each for each in SCRIPT["services"]("package", tmp_path)}
    assert {name for name, each in found.items() if each.verified} == {
        "good.service",
        "template@.service",
    }
    assert found.keys() == {
        f"{each}.service" for each in ("good", "template@", "unknown", "refused")
    }


def test_packages_are_named_once() -> None:
    words = [
        word
        for line in SCRIPT["PACKAGES"].read_text().splitlines()
        for word in line.partition("#")[0].split()
    ]
    assert len(words) == len(set(words))
    assert SCRIPT["names"]() == sorted(words)
