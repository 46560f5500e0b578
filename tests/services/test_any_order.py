"""The pure core, driven through anything: no job is forgotten, order is kept, what is stopped ends, and stays so."""

from __future__ import annotations

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from watched import answered, check_progress, check_rest, check_step, is_at_rest, starts
from world import World

from forklab.services import life
from forklab.services.graph import DOWN, Job, Kind
from forklab.services.manager import (
    Checked,
    Deed,
    Event,
    Happened,
    Leave,
    Manager,
    Request,
    Reread,
    step,
)

NAMES = ("a.service", "b.service", "c.service", "d.service")
RELATIONS = ("Requires", "Wants", "BindsTo", "PartOf", "Conflicts", "After", "Before", "OnFailure")
BEHAVIOURS = (
    "catch:TERM hang",
    "ignore:TERM hang",
    "exit:0",
    "sleep:50 exit:1",
    "sleep:20 die:SEGV",
    "{ kid catch:TERM hang } sleep:10 exit:0",
    "{ kid ignore:TERM hang } catch:TERM hang",
    "sleep:30 notify:READY=1 slow:TERM hang",
    "notify:READY=1 sleep:30 notify:RELOADING=1 sleep:10 notify:READY=1 sleep:30 notify:STOPPING=1 sleep:20",
    "daemon:5 catch:TERM hang",
    "daemon:5 sleep:40 exit:3",
)
TYPES = ("simple", "exec", "oneshot", "notify", "forking")
EXTRA = ("ExecStartPre", "ExecStartPost", "ExecReload", "ExecStop", "ExecStopPost")
CONDITIONS = ("", "", "", "ConditionPathExists=/no", "AssertPathExists=/no", "AssertPathExists=/")
BURST, INTERVAL = 3, 10.0
MORE = os.environ.get("FORKLAB_EXAMPLES")  # more of them find more; they are other ones each time
EXAMPLES = int(MORE or "40")


@st.composite
def unit_files(draw: st.DrawFn) -> dict[str, str]:
    files = {}
    for name in NAMES:
        others = [other for other in NAMES if other != name]
        lines = ["[Unit]", f"StartLimitBurst={BURST}", f"StartLimitIntervalSec={INTERVAL}"]
        for relation in draw(st.lists(st.sampled_from(RELATIONS), max_size=3)):
            lines.append(f"{relation}={draw(st.sampled_from(others))}")
        lines.append(draw(st.sampled_from(CONDITIONS)))
        kind = draw(st.sampled_from(TYPES))
        policies = ("no", "on-failure") if kind == "oneshot" else ("no", "on-failure", "always")
        lines += [
            "[Service]",
            f"Type={kind}",
            f"Restart={draw(st.sampled_from(policies))}",
            f"RemainAfterExit={draw(st.sampled_from(('yes', 'no')))}",
            f"KillMode={draw(st.sampled_from(('control-group', 'mixed')))}",
            "TimeoutSec=1",
            "NotifyAccess=all",
            f"ExecStart=/lab/act {name} {draw(st.sampled_from(BEHAVIOURS))}",
        ]
        for key in draw(st.lists(st.sampled_from(EXTRA), max_size=2)):
            does = draw(st.sampled_from(("exit:0", "exit:1", "sleep:30", "hang")))
            lines.append(f"{key}=/lab/act {name} {does}")
        files[name] = "\n".join(lines) + "\n"
    return files


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from((Kind.START, Kind.START, Kind.STOP, Kind.RESTART, Kind.RELOAD)),
        st.sampled_from(NAMES),
        st.sampled_from((0.0, 0.005, 0.04, 0.3)),
    ),
    max_size=8,
)


class Watched(World):
    """Every step of the manager is judged."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.begun: dict[str, list[float]] = defaultdict(list)

    def stepped(self, before: Manager, deeds: tuple[Deed, ...]) -> None:
        check_step(before, self.manager, deeds)
        for number in answered(deeds):
            assert number not in self.answers, f"request {number} is answered twice"
        for name in starts(before, self.manager, deeds):
            self.begun[name].append(self.now)
            lately = [at for at in self.begun[name] if self.now - at < INTERVAL]
            assert len(lately) <= BURST, f"{name} is started too often"

    def settle(self) -> None:
        """Nothing goes on any more; or somebody comes back, and fails, for ever."""
        self.wait(60)
        if is_at_rest(self.manager):
            self.check_rest()
        else:
            before = self.manager
            self.wait(60)
            check_progress(before, self.manager)

    def stop_all(self) -> None:
        self.said.clear()
        for name in NAMES:
            self.request(Kind.STOP, name)
        self.settle()
        if any("Triggering OnFailure=" in text for _, text in self.said):
            # Who fails to stop may wake somebody, for ever; but not at the end.
            self.event(Leave())
            self.wait(60)
        self.check_rest()
        assert {self.manager.life(name).active for name in NAMES} <= set(DOWN)
        assert not self.actors

    def check_rest(self) -> None:
        check_rest(self.manager)
        assert self.answers.keys() == set(range(1, self.numbers + 1))
        for name, each in self.manager.lives.items():
            roles = {actor.role for actor in self.actors if actor.unit == name}
            assert each.empty is not bool(roles), f"a death in {name} is lost"
            assert each.main is ("main" in roles) and each.control is ("control" in roles)


def world_of(files: Mapping[str, str], folder: str) -> Watched:
    act = Path(folder, "lab", "act")
    act.parent.mkdir()
    act.touch(mode=0o755)
    for name, text in files.items():
        Path(folder, name).write_text(text.replace("/lab/", f"{folder}/lab/"))
    return Watched(Path(folder))


@settings(max_examples=EXAMPLES, derandomize=not MORE, deadline=None)
@given(unit_files(), REQUESTS, st.booleans())
def test_no_job_is_forgotten_order_is_kept_and_what_is_stopped_ends(
    files: dict[str, str], requests: list[tuple[Kind, str, float]], leaves: bool
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        for kind, name, then in requests:
            world.request(kind, name)
            world.wait(then)
        if leaves:
            world.event(Leave())
        else:
            world.settle()
        world.stop_all()


def test_nobody_who_waits_is_started_during_the_shutdown() -> None:
    files = dict.fromkeys(NAMES, "[Service]\nExecStart=/lab/act x hang\n")
    files["a.service"] = "[Service]\nType=oneshot\nExecStart=/lab/act x sleep:300\n"
    files["b.service"] = "[Unit]\nAfter=a.service\n" + files["b.service"]
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        world.request(Kind.START, "a.service")
        waits = world.request(Kind.START, "b.service")
        world.wait(0.1)
        world.event(Leave())
        world.wait(1)
        assert world.answers[waits] == "canceled"
        assert not world.begun["b.service"]


@pytest.mark.parametrize("first", ["a", "b"])
def test_at_the_end_whoever_comes_after_another_stops_before_it(first: str) -> None:
    """They need each other not at all, so that neither would take the other along."""
    second = "b" if first == "a" else "a"
    files = dict.fromkeys(NAMES, "[Service]\nExecStart=/lab/act x hang\n")
    files[f"{second}.service"] = f"[Unit]\nAfter={first}.service\n" + files[f"{second}.service"]
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        for name in (first, second):
            assert world.start(name) == "done"
        world.said.clear()
        world.event(Leave())
        world.wait(1)
    told = [text for _, text in world.said if text.startswith("Stop")]
    assert [line.split()[1][0] for line in told] == [second, second, first, first]


def test_who_is_woken_by_a_failure_that_it_has_caused_is_woken_until_its_limit() -> None:
    files = dict.fromkeys(NAMES, "[Service]\nExecStart=/lab/act x hang\n")
    files["a.service"] = "[Unit]\nRequires=b.service\nOnFailure=b.service\n" + files["a.service"]
    files["b.service"] = (
        "[Unit]\nRequires=a.service\nBefore=a.service\nStartLimitBurst=3\n"
        "[Service]\nExecStartPre=/lab/act x exit:1\nExecStart=/lab/act x hang\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("a.service") == "dependency"
        world.wait(60)
        world.check_rest()
        assert len(world.manager.starts["b.service"]) == 3
        assert not world.manager.tasks


BOTH_WAYS = {
    "a.service": "[Unit]\nAfter=b.service\n[Service]\nExecStart=/lab/act x hang\n",
    "b.service": (
        "[Unit]\nAfter=a.service\n"
        "[Service]\nExecStart=/lab/act x hang\nExecStop=/lab/act x sleep:300\n"
    ),
    "c.service": "[Unit]\nWants=a.service\n[Service]\nExecStart=/lab/act x hang\n",
}


def test_in_a_circle_a_restart_counts_as_the_start_that_comes_of_it() -> None:
    """While b stops, a could wait for it; but when b then starts, they would wait for each other for ever."""
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(BOTH_WAYS, folder)
        assert world.start("b.service") == "done"
        restart = world.request(Kind.RESTART, "b.service")
        world.wait(0.1)
        refused, wanting = (world.request(Kind.START, f"{name}.service") for name in "ac")
        assert world.answers[refused] == "refused"
        assert world.wait_for([restart, wanting]) == ["done", "done"]
        assert any("Job a.service/start deleted to break it" in text for _, text in world.said)
        assert world.manager.life("a.service").active == "inactive"


ROUND = {
    f"{name}.service": f"[Unit]\nAfter={other}.service\n[Service]\nExecStart=/lab/act {name} hang\n"
    f"ExecStop=/lab/act {name} sleep:300 say:done\n"
    for name, other in ("ab", "ba")
}


def test_at_the_end_whoever_is_to_stop_does_also_where_the_order_is_a_circle() -> None:
    """Each comes after the other. One of them stops first, and the other when it has."""
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(ROUND, folder)
        assert [world.start(name) for name in ROUND] == ["done", "done"]
        world.event(Leave())
        world.wait(1)
        world.check_rest()
        assert not world.actors
        assert [line for _, line in world.log] == ["a done", "b done"]
        assert world.log[1][0] >= 0.6


def test_who_is_bound_to_another_goes_also_if_the_order_is_a_circle() -> None:
    """b is part of a, and each comes after the other; a is bound to c, which ends."""
    files = {
        "a.service": ROUND["a.service"].replace("[Unit]", "[Unit]\nBindsTo=c.service"),
        "b.service": ROUND["b.service"].replace("[Unit]", "[Unit]\nPartOf=a.service"),
        "c.service": "[Service]\nExecStart=/lab/act x sleep:100\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert [world.start(name) for name in files] == ["done", "done", "already"]
        world.wait(1)
        world.check_rest()
        assert not world.actors


def test_a_stop_that_would_close_a_circle_is_refused_as_long_as_the_other_one_stops() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(ROUND, folder)
        assert [world.start(name) for name in ROUND] == ["done", "done"]
        numbers = [world.request(Kind.STOP, name) for name in ROUND]
        assert world.wait_for(numbers) == ["done", "refused"]
        assert world.wait_for([world.request(Kind.STOP, "b.service")]) == ["done"]
        world.wait(1)
        world.check_rest()
        assert not world.actors


def test_a_restart_is_refused_where_whom_it_stops_and_whom_it_starts_again_stand_in_a_circle() -> (
    None
):
    """b is part of c, whom a is in the way of."""
    files = {
        "a.service": ROUND["a.service"],
        "b.service": ROUND["b.service"].replace("[Unit]", "[Unit]\nPartOf=c.service"),
        "c.service": "[Unit]\nConflicts=a.service\n[Service]\nExecStart=/lab/act c hang\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert [world.start(name) for name in ROUND] == ["done", "done"]
        again = world.request(Kind.RESTART, "c.service")
        assert world.wait_for([again]) == ["refused"]
        assert [world.manager.life(name).active for name in ROUND] == ["active", "active"]


def test_after_a_command_that_fails_the_next_one_is_not_run() -> None:
    commands = "ExecStart=/lab/act x exit:1\nExecStart=/lab/act x say:second\n"
    with tempfile.TemporaryDirectory() as folder:
        world = world_of({"a.service": f"[Service]\nType=oneshot\n{commands}"}, folder)
        assert world.start("a.service") == "failed"
        world.wait(1)
        assert [line for _, line in world.log] == ["x exit 1"]


@pytest.mark.parametrize("fails", ["AssertPathExists=/no", "StartLimitBurst=1"])
def test_a_failure_that_brings_itself_about_does_so_for_a_while_only(fails: str) -> None:
    """a wakes b, which needs c, which fails at once; so b fails, and wakes a, which needs c as well."""
    needs = "Requires=c.service\nAfter=c.service\n[Service]\nExecStart=/lab/act x hang\n"
    files = {
        "a.service": f"[Unit]\nStartLimitIntervalSec=0\nOnFailure=b.service\n{needs}",
        "b.service": f"[Unit]\nStartLimitIntervalSec=0\nOnFailure=a.service\n{needs}",
        "c.service": f"[Unit]\n{fails}\n[Service]\nExecStart=/lab/act x exit:1\nType=oneshot\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("a.service") == "dependency"
        world.wait(5)
        world.check_rest()
        assert any("failed too often" in text for _, text in world.said)


def test_who_has_reached_its_limit_stays_so_when_somebody_starts_it() -> None:
    limit = (
        "[Unit]\nStartLimitBurst=1\n[Service]\nRestart=on-failure\nExecStart=/lab/act x exit:1\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        world = world_of({"a.service": limit}, folder)
        assert world.start("a.service") == "done"
        world.wait(1)
        assert world.start("a.service") == "failed"
        world.wait(1)
        assert world.manager.life("a.service").state == "failed"
        assert len(world.begun["a.service"]) == 1


def test_who_fails_before_it_is_ready_has_failed_though_others_could_tell_that_it_is() -> None:
    lines = "Type=notify\nRemainAfterExit=yes\nNotifyAccess=all\n"
    main = "ExecStart=/lab/act x { kid catch:TERM hang } sleep:10 exit:1\n"
    with tempfile.TemporaryDirectory() as folder:
        world = world_of({"a.service": f"[Service]\n{lines}{main}"}, folder)
        assert world.start("a.service") == "failed"
        assert world.now < 1
        assert world.manager.life("a.service").result == "exit-code"


def test_nobody_starts_who_needs_somebody_that_would_have_to_stop_for_it() -> None:
    """c needs b, which needs a, which c is in conflict with."""
    hang = "[Service]\nExecStart=/lab/act x hang\n"
    files = {
        "a.service": hang,
        "b.service": f"[Unit]\nRequires=a.service\n{hang}",
        "c.service": f"[Unit]\nRequires=b.service\nConflicts=a.service\n{hang}",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("b.service") == "done"
        assert world.start("c.service") == "refused"
        assert {name for name, each in world.manager.lives.items() if each.active == "active"} == {
            "a.service",
            "b.service",
        }


def test_who_is_to_come_back_does_so_by_whichever_job_takes_the_place_of_its_own() -> None:
    """Its timer has rung, and its restart waits until b has stopped; nothing else would wake it."""
    files = {
        "a.service": "[Service]\nType=notify\nRestart=always\n"
        "ExecStart=/lab/act x notify:READY=1 sleep:50 exit:0\n",
        "b.service": "[Unit]\nRequires=a.service\nAfter=a.service\n[Service]\n"
        "ExecStart=/lab/act x hang\nExecStop=/lab/act x sleep:900\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("b.service") == "done"
        world.wait(0.3)
        assert world.manager.life("a.service").state == "auto-restart"
        world.request(Kind.STOP, "a.service")
        again = world.request(Kind.RESTART, "b.service")
        assert world.wait_for([again]) == ["done"]
        assert len(world.begun["a.service"]) == 2


def test_who_is_bound_to_another_is_stopped_as_soon_as_that_one_begins_to_go() -> None:
    """And not only when it has gone: that may take its time."""
    slow = "[Service]\nExecStart=/lab/act x sleep:50 exit:0\nExecStopPost=/lab/act x sleep:300\n"
    bound = "[Unit]\nBindsTo=a.service\nAfter=a.service\n[Service]\nExecStart=/lab/act x hang\n"
    with tempfile.TemporaryDirectory() as folder:
        world = world_of({"a.service": slow, "b.service": bound}, folder)
        assert world.start("b.service") == "done"
        world.wait(0.2)
        states = {name: each.active for name, each in world.manager.lives.items()}
        assert states == {"a.service": "deactivating", "b.service": "inactive"}


def test_a_reload_and_a_start_of_the_same_unit_become_what_can_be_done() -> None:
    """Both wait for a. While b is up it is reloaded, and when it has ended meanwhile, it is started."""
    files = {
        "a.service": "[Service]\nType=oneshot\nExecStart=/lab/act x sleep:300\n",
        "b.service": (
            "[Unit]\nAfter=a.service\n"
            "[Service]\nExecStart=/lab/act x sleep:500 exit:0\nExecReload=/lab/act x exit:0\n"
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("b.service") == "done"
        for word, until in (("Reloaded", 0.0), ("Started", 0.25)):
            world.said.clear()
            world.request(Kind.START, "a.service")
            reload = world.request(Kind.RELOAD, "b.service")
            world.wait(until)
            start = world.request(Kind.START, "b.service")
            assert world.wait_for([reload, start]) == ["done", "done"]
            assert ("b.service", f"{word} b.service.") in world.said


def test_when_files_are_read_anew_whoever_need_not_wait_any_more_goes_on() -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(
            {**BOTH_WAYS, "b.service": "[Service]\nType=oneshot\nExecStart=/lab/act x hang\n"},
            folder,
        )
        world.request(Kind.START, "b.service")
        waits = world.request(Kind.START, "a.service")
        world.wait(1)
        assert waits not in world.answers
        path = Path(folder, "a.service")
        path.write_text(path.read_text().replace("After=b.service", ""))
        world.reload()
        assert world.wait_for([waits]) == ["done"]


@pytest.mark.parametrize("kind", [Kind.START, Kind.STOP])
def test_when_files_that_are_read_anew_close_a_circle_nobody_waits_for_ever(kind: Kind) -> None:
    """a and b wait for c, and now for each other as well."""
    slow = "[Service]\nExecStart=/lab/act x sleep:300 notify:READY=1 hang\nType=notify\n"
    slow += "ExecStop=/lab/act x sleep:300\n"
    order = "After" if kind is Kind.START else "Before"
    files = dict.fromkeys(("a.service", "b.service"), f"[Unit]\n{order}=c.service\n{slow}")
    files["c.service"] = slow
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        if kind is Kind.STOP:
            assert {world.start(name) for name in files} == {"done"}
        numbers = [world.request(kind, name) for name in ("c.service", "a.service", "b.service")]
        for name, other in ("ab", "ba"):
            path = Path(folder, f"{name}.service")
            path.write_text(
                path.read_text().replace("[Service]", f"After={other}.service\n[Service]")
            )
        world.reload()
        one = "dependency" if kind is Kind.START else "done"
        assert sorted(world.wait_for(numbers)) == sorted([one, "done", "done"])


def test_whoever_waits_is_not_started_when_its_file_has_gone_meanwhile() -> None:
    files = {
        "a.service": "[Service]\nType=oneshot\nExecStart=/lab/act x sleep:300\n",
        "b.service": "[Unit]\nAfter=a.service\n[Service]\nExecStart=/lab/act x hang\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        numbers = [world.request(Kind.START, name) for name in files]
        Path(folder, "b.service").unlink()
        world.reload()
        assert world.wait_for(numbers) == ["done", "failed"]
        assert not world.begun["b.service"]


def test_what_an_answer_brings_about_comes_after_all_deeds_of_the_step_that_asks() -> None:
    """a is asked for its conditions when c comes back; the timer of c that has rung ends in the same step."""
    files = {
        "a.service": "[Unit]\nAssertPathExists=/no\n[Service]\nExecStart=/lab/act x hang\n",
        "b.service": "[Unit]\nRequires=a.service\nAfter=a.service\n[Service]\nExecStart=/lab/act x hang\n",
        "c.service": (
            "[Unit]\nWants=b.service\nAfter=b.service\n[Service]\nType=oneshot\nRestart=on-failure\n"
            "ExecStart=/lab/act x catch:TERM hang\nTimeoutStartSec=1\n"
        ),
    }
    with tempfile.TemporaryDirectory() as folder:
        world = world_of(files, folder)
        assert world.start("c.service") == "failed"
        world.wait(2)
        assert len(world.begun["c.service"]) == 3


EVENTS = st.one_of(
    st.builds(
        Request, st.integers(1, 9), st.builds(Job, st.sampled_from(NAMES), st.sampled_from(Kind))
    ),
    st.builds(
        Happened,
        st.sampled_from(NAMES),
        st.one_of(
            st.sampled_from((life.Executed(), life.Emptied(), life.TimeOver())),
            st.builds(
                life.Ended, st.sampled_from(("main", "control")), st.sampled_from((0, 256, 9))
            ),
            st.builds(life.MainFound, st.booleans()),
            st.builds(life.NotStarted, st.sampled_from(("main", "control"))),
            st.sampled_from(("READY=1", "STOPPING=1", "RELOADING=1", "MAINPID=x", "STATUS=")).map(
                lambda text: life.Notified(dict([text.split("=")]))
            ),
        ),
    ),
    st.builds(Checked, st.sampled_from(NAMES), st.sampled_from(("", "x")), st.booleans()),
    st.just(Reread()),
)


@settings(max_examples=EXAMPLES, derandomize=not MORE, deadline=None)
@given(unit_files(), st.lists(EVENTS, max_size=25))
def test_no_event_at_any_time_is_too_much(files: dict[str, str], events: list[Event]) -> None:
    """Also those that cannot be, or come twice: the manager does not die, and nobody starts out of order."""
    with tempfile.TemporaryDirectory() as folder:
        manager = world_of(files, folder).manager
    for number, event in enumerate(events):
        before = manager
        manager, deeds = step(manager, event, float(number))
        check_step(before, manager, deeds)
