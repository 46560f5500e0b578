"""What notebooks say of real systemd stands on a record: of the very cells, and of the facts."""

from __future__ import annotations

import json

import pytest
from facts import records, versions
from oracle.scenes import NOTEBOOKS, restarts, scenes

from forklab.notebook.recorded import RECORD, on_systemd, restart_table
from forklab.notebook.units import Scene, UnitsRun

SCENES = list(scenes())


def test_whatever_a_notebook_shows_of_systemd_is_on_record_and_nothing_else() -> None:
    asked = [(dict(scene.files), list(scene.typed)) for scene in SCENES]
    record = json.loads(RECORD.read_text())
    kept = [
        (each["files"], [answer["typed"] for answer in each["answers"]])
        for each in record["scenes"]
    ]
    assert kept == asked
    assert record["systemd"].startswith("systemd 252 ")


def test_the_outputs_that_are_kept_show_the_record() -> None:
    (notebook,) = NOTEBOOKS.glob("15_*.ipynb")
    shown = [
        "".join(output["data"]["text/plain"])
        for cell in json.loads(notebook.read_text())["cells"]
        if "= on_systemd()" in "".join(cell["source"])
        for output in cell["outputs"]
    ]
    assert len(shown) == len(SCENES)
    for scene, text in zip(SCENES, shown, strict=True):
        record = on_systemd(UnitsRun(scene, {}, [], 0.0, []))
        assert text.startswith(f"On {record.version}, {record.date}:\n")
        for answer in record.answers:
            assert f"$ {answer.typed}\n" in text
            assert str(answer) in text or f"$ {answer.typed}\n    (the same)\n" in text


@pytest.mark.parametrize("version", versions())
def test_the_table_of_restarts_is_what_each_version_did(version: str) -> None:
    assert restarts(records(version)) == restart_table().rows


def test_a_scene_is_the_same_whatever_is_said_of_its_film() -> None:
    cell = "# a.service\n[Service]\nExecStart=/bin/true\n\n$ systemctl\n"
    assert (
        Scene.of("--at 3", cell).files
        == Scene.of("", cell).files
        == {"a.service": "[Service]\nExecStart=/bin/true\n"}
    )
