"""The pure core, driven through anything: no job is forgotten, order is kept, and what is stopped ends."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from world import World

from forklab.services.graph import Kind

NAMES = ("a", "b", "c", "d")
RELATIONS = ("Requires", "Wants", "BindsTo", "PartOf", "Conflicts", "After", "Before", "OnFailure")
BEHAVIOURS = (
    "say:start catch:TERM hang",
    "say:start ignore:TERM hang",
    "say:start exit:0",
    "say:start sleep:50 exit:1",
    "say:start sleep:20 die:SEGV",
    "say:start { kid catch:TERM hang } sleep:10 exit:0",
    "say:start { kid ignore:TERM hang } catch:TERM hang",
    "say:start sleep:30 notify:READY=1 slow:TERM hang",
    "say:start daemon:5 catch:TERM hang",
)
TYPES = ("simple", "exec", "oneshot", "notify", "forking")
EXTRA = ("ExecStartPre", "ExecStartPost", "ExecStop", "ExecStopPost")


@st.composite
def unit_files(draw: st.DrawFn) -> dict[str, str]:
    files = {}
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        lines = ["[Unit]", "StartLimitBurst=3"]
        for relation in draw(st.lists(st.sampled_from(RELATIONS), max_size=3)):
            lines.append(f"{relation}={draw(st.sampled_from(others))}.service")
        kind = draw(st.sampled_from(TYPES))
        restart = draw(
            st.sampled_from(
                ("no", "on-failure", "always") if kind != "oneshot" else ("no", "on-failure")
            )
        )
        lines += [
            "[Service]",
            f"Type={kind}",
            f"Restart={restart}",
            f"RemainAfterExit={draw(st.sampled_from(('yes', 'no')))}",
            f"KillMode={draw(st.sampled_from(('control-group', 'mixed')))}",
            "TimeoutSec=1",
            "NotifyAccess=all",
            f"ExecStart=/lab/act {name} {draw(st.sampled_from(BEHAVIOURS))}",
        ]
        for key in draw(st.lists(st.sampled_from(EXTRA), max_size=2)):
            lines.append(
                f"{key}=/lab/act {name} {draw(st.sampled_from(('exit:0', 'exit:1', 'sleep:30', 'hang')))}"
            )
        files[f"{name}.service"] = "\n".join(lines) + "\n"
    return files


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from((Kind.START, Kind.START, Kind.STOP, Kind.RESTART)),
        st.sampled_from(NAMES),
        st.sampled_from((0.0, 0.005, 0.04, 0.3)),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(unit_files(), REQUESTS)
def test_no_job_is_forgotten_and_what_is_stopped_ends(
    files: dict[str, str], requests: list[tuple[Kind, str, float]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            Path(folder, name).write_text(text)
        world = World(Path(folder))
        for kind, name, then in requests:
            world.request(kind, name, block=False)
            world.wait(then)
        world.wait(60)
        assert not world.manager.tasks
        assert set(world.answers) == set(range(1, world.numbers + 1))
        for _ in NAMES:  # who fails to stop may wake another one (OnFailure=)
            for name in NAMES:
                world.request(Kind.STOP, name, block=False)
            world.wait(60)
        assert not world.manager.tasks
        assert {world.manager.life(f"{name}.service").active for name in NAMES} <= {
            "inactive",
            "failed",
        }
        assert not world.processes
