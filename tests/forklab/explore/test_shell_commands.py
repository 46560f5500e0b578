"""All outputs of what people type into a shell: real shells and tools, with their pipes and jobs."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import TABLE, Runnable

from forklab.explore import explore
from forklab.explore import learned as learning
from forklab.steps import state as facts
from forklab.steps.moves import Move
from forklab.steps.state import Fact, State

COMMANDS = {
    "echo a & echo b": {"a b", "b a"},
    "echo a & echo b; wait; echo c": {"a b c", "b a c"},
    # The shell reads from a pipe until nobody has its other end open.
    'x=$(echo a; echo b >&2); echo "$x"': {"b a"},
    "(echo a; echo b >&2) | cat": {"a b", "b a"},
    "exec 3>&1; x=$(echo b >&3; echo c); echo $x": {"b c"},
    "cat <<E\nhi\nE\necho a | (read x; echo $x)": {"hi a"},
    # SIGPIPE ends who writes for nobody.
    "yes | head -1": {"y"},
    "(sleep 2; echo late) & echo early; sleep 1; echo late too": {"early late too late"},
}


# Half a minute of processor time and more; two others have a pipe, one a process that reads it.
LONG = ("cat <<E\nhi\nE\necho a | (read x; echo $x)", "yes | head -1")
EVERY_COMMAND = [
    pytest.param(command, marks=[pytest.mark.slow] if command in LONG else [], id=command)
    for command in COMMANDS
]


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_a_command_can_print_this_and_nothing_else(command: str) -> None:
    found = explore(["sh", "-c", command], text_only=True, seconds=600)
    assert {" ".join(output.split()) for output in found.outputs} == COMMANDS[command]
    assert found.complete, found.reasons


def test_a_footprint_that_is_too_small_is_noticed(
    monkeypatch: pytest.MonkeyPatch, runnable: Runnable
) -> None:
    """What was learned is then not what the program does: it shows, and nothing breaks."""

    def own_place_only(state: State, move: Move) -> frozenset[Fact]:
        return frozenset({(facts.AT, move.process)})

    monkeypatch.setattr(learning, "footprint", own_place_only)
    found = explore(**runnable("c", TABLE[3].text))
    assert not found.complete
    assert any("changes the" in reason for reason in found.reasons)


@pytest.mark.slow
def test_who_changes_its_mask_without_a_step_stands_elsewhere(tmp_path: Path) -> None:
    """bash does so several times between its fork and its wait; with a signal on its way the same call is a step."""
    script = tmp_path / "script"
    script.write_text("trap 'echo T' TERM\n(kill $$; echo s) & wait; echo e\n")
    found = explore(["bash", str(script)], seconds=100)
    assert {"T\ns\ne\n", "T\ne\ns\n", "s\nT\ne\n"} <= set(found.outputs)
    assert not any(reason.startswith("The same step") for reason in found.reasons)
