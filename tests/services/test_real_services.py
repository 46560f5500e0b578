"""Services as real processes below a real manager: what becomes of those who misbehave, and of those who are killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from managed import Managed, managed, until

PYTHON = "/usr/bin/env python3"
NAP = "exec sleep 1000"
DEAF = "/bin/sh -c 'trap \"\" TERM; echo up; while :; do sleep 1; done'"


@pytest.fixture(scope="module")
def manager() -> Iterator[Managed]:
    """One for all tests that leave it as it was."""
    with managed({"nothing": "/bin/true"}) as started:
        yield started


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_neither_a_session_nor_a_double_fork_gets_away(manager: Managed) -> None:
    text = f"/bin/sh -c '(setsid sh -c \"sleep 1001 & exec sleep 1002\" &) ; (setsid sleep 1003 &) ; {NAP}'"
    name = manager.add("escapes", text)
    assert manager.start(name) == 0
    until(lambda: len(manager.unit(name)["processes"]) == 4)
    pids = [each["pid"] for each in manager.unit(name)["processes"]]
    assert manager.stop(name) == 0
    assert all(map(gone, pids))
    assert manager.stands(name) == "inactive/dead/success"


def test_a_daemon_of_daemon_3_is_followed_and_ended(manager: Managed) -> None:
    text = "[Service]\nType=forking\nExecStart=/bin/sh -c '(setsid sleep 1000 &) & sleep .1'"
    name = manager.add("daemon", text)
    assert manager.start(name) == 0
    found = manager.unit(name)
    assert found["sub"] == "running"
    os.kill(found["pids"]["main"], signal.SIGKILL)
    until(lambda: manager.stands(name) == "failed/failed/signal")
    assert "code=killed, status=9/KILL" in manager.said(f"{name}.service")


def test_who_ignores_sigterm_is_killed_when_its_time_is_over(manager: Managed) -> None:
    text = f"[Service]\nTimeoutStopSec=300ms\nExecStart={DEAF}"
    name = manager.add("deaf", text)
    assert manager.start(name) == 0
    until(lambda: manager.lines(f"{name}.service"))
    assert manager.stop(name) == 0
    assert manager.stands(name) == "failed/failed/timeout"
    assert "State 'stop-sigterm' timed out. Killing." in manager.said(f"{name}.service")


def test_one_who_forks_for_ever_is_caught(manager: Managed, tmp_path: Path) -> None:
    """Each lives for a moment, in a session of its own, and none hears SIGTERM."""
    program = tmp_path / "hops.py"
    program.write_text(
        "import os, signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\n"
        "while True:\n    if os.fork():\n        os._exit(0)\n    os.setsid()\n    time.sleep(.001)\n"
    )
    text = f"[Service]\nTimeoutStopSec=200ms\nType=forking\nExecStart={PYTHON} {program}"
    name = manager.add("hops", text)
    assert manager.ask("start", name, wait=False).status == 0
    until(lambda: manager.lines(f"{name}.service"))
    assert manager.stop(name) == 0
    until(lambda: not manager.unit(name)["pids"])
    assert manager.stands(name).startswith("failed/failed")


def test_who_closes_its_descriptors_goes_on(manager: Managed) -> None:
    name = manager.add("mute", f"/bin/sh -c 'echo last; exec <&- >&- 2>&-; {NAP}'")
    assert manager.start(name) == 0
    until(lambda: manager.lines(f"{name}.service") == ["last"])
    assert manager.stands(name) == "active/running/success"
    assert manager.stop(name) == 0


def test_who_exits_before_it_is_ready_has_failed_to_start(manager: Managed) -> None:
    name = manager.add("early", "[Service]\nType=notify\nExecStart=/bin/sh -c 'exit 0'")
    assert manager.start(name) == 1
    assert manager.stands(name) == "failed/failed/protocol"


def test_what_a_service_announced_before_its_end_counts(manager: Managed, tmp_path: Path) -> None:
    program = tmp_path / "says.py"
    program.write_text(
        "import os, socket\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        "s.connect(os.environ['NOTIFY_SOCKET'])\nfor _ in range(50):\n    s.send(b'STATUS=busy')\n"
        "s.send(b'READY=1\\nSTATUS=bye')\n"
    )
    text = f"[Service]\nType=notify\nExecStart={PYTHON} {program}"
    name = manager.add("brief", text)
    assert manager.start(name) == 0


def test_only_its_own_process_becomes_main(manager: Managed, tmp_path: Path) -> None:
    """Else a service could let the manager kill a stranger."""
    stranger = subprocess.Popen(["sleep", "1000"])
    program = tmp_path / "lies.py"
    program.write_text(
        "import os, socket, time\ns = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n"
        f"s.connect(os.environ['NOTIFY_SOCKET'])\ns.send(b'MAINPID={stranger.pid}\\nREADY=1')\n"
        "time.sleep(1000)\n"
    )
    name = manager.add(
        "liar", f"[Service]\nType=notify\nKillMode=process\nExecStart={PYTHON} {program}"
    )
    try:
        assert manager.start(name) == 0
        until(lambda: "does not belong to the service" in manager.said(f"{name}.service"))
        assert manager.stop(name) == 0
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_who_falls_by_a_real_time_signal_has_failed(manager: Managed) -> None:
    """It has a number, and no name of Python's."""
    name = manager.add("real-time", "/bin/sh -c 'kill -37 $$$$; sleep 1000'")
    assert manager.start(name) == 0
    until(lambda: manager.stands(name) == "failed/failed/signal")
    assert "code=killed, status=37/RTMIN+3" in manager.said(f"{name}.service")


SAYS_READY = (
    "import os, socket, time; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM);"
    ' s.connect(os.environ["NOTIFY_SOCKET"].replace("@", chr(0), 1));'
    ' s.send(b"READY=1"); time.sleep(1000)'
)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_service_of_another_user_can_say_that_it_is_ready(manager: Managed) -> None:
    """The manager's folder is shut to it."""
    text = f"[Service]\nType=notify\nTimeoutStartSec=30\nUser=nobody\nExecStart={PYTHON} -c '{SAYS_READY}'"
    name = manager.add("somebody", text)
    assert manager.start(name) == 0
    assert manager.stop(name) == 0


def test_a_service_inherits_no_descriptor(manager: Managed) -> None:
    name = manager.add("bare", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'ls /proc/$$$$/fd'")
    assert manager.start(name) == 0
    until(lambda: manager.lines(f"{name}.service") == ["0", "1", "2"])


def test_a_program_that_is_not_there_is_named(manager: Managed) -> None:
    name = manager.add("absent", "/no/such/program")
    assert manager.start(name) == 0  # as systemd has it: a simple service is up once it was forked
    until(lambda: manager.stands(name) == "failed/failed/exit-code")
    said = manager.said(f"{name}.service")
    assert "Failed at step EXEC: No such file or directory" in said
    file = manager.folder / "absent.service"
    assert f"{file}:2: ExecStart=/no/such/program: there is no such program" in said


def test_a_flood_is_kept_line_by_line_while_others_are_served(manager: Managed) -> None:
    many = 5000
    name = manager.add("flood", f"[Service]\nType=oneshot\nExecStart=/usr/bin/seq {many}")
    assert manager.ask("start", name, wait=False).status == 0
    assert manager.stands("nothing") == "inactive/dead/success"
    until(lambda: manager.lines(f"{name}.service")[-1:] == [str(many)])
    assert manager.lines(f"{name}.service") == [str(number + 1) for number in range(many)]


def test_a_keeper_that_is_killed_takes_its_service_with_it_and_nobody_else(
    manager: Managed,
) -> None:
    text = f"/bin/sh -c '(setsid sleep 1000 &); sleep 1001 & {NAP}'"
    name, other = manager.add("orphaned", text), manager.add("bystander", f"/bin/sh -c '{NAP}'")
    assert manager.start(name, other) == 0
    until(lambda: len(manager.unit(name)["processes"]) == 3)
    found = manager.unit(name)
    os.kill(found["pids"]["keeper"], signal.SIGKILL)
    until(lambda: manager.stands(name) == "failed/failed/signal")
    assert all(gone(each["pid"]) for each in found["processes"])
    assert (
        f"The keeper of this service (PID {found['pids']['keeper']}) was killed" in manager.said()
    )
    assert manager.stands(other) == "active/running/success"
    assert manager.start(name) == 0  # it comes again, with another keeper
    assert manager.stop(name, other) == 0


def test_what_a_killed_keeper_had_is_started_again_if_its_unit_says_so(manager: Managed) -> None:
    text = f"[Service]\nRestart=on-failure\nRestartSec=0\nExecStart=/bin/sh -c '{NAP}'"
    name = manager.add("returns", text)
    assert manager.start(name) == 0
    first = manager.unit(name)["pids"]
    os.kill(first["keeper"], signal.SIGKILL)
    until(lambda: manager.unit(name)["pids"].get("main", first["main"]) != first["main"])
    assert manager.unit(name)["restarts"] == 1
    assert manager.stop(name) == 0


def test_a_daemon_whose_keeper_is_killed_while_it_starts_has_failed(manager: Managed) -> None:
    text = "[Service]\nType=forking\nExecStart=/bin/sleep 1000\nExecStartPost=/bin/true"
    name = manager.add("halfway", text)
    assert manager.ask("start", name, wait=False).status == 0
    until(lambda: "control" in manager.unit(name)["pids"])
    os.kill(manager.unit(name)["pids"]["keeper"], signal.SIGKILL)
    until(lambda: manager.stands(name) == "failed/failed/signal")


def test_a_keeper_that_is_stopped_goes_on_at_once(manager: Managed) -> None:
    name = manager.add("held", f"/bin/sh -c '{NAP}'")
    assert manager.start(name) == 0
    os.kill(manager.unit(name)["pids"]["keeper"], signal.SIGSTOP)
    assert manager.stop(name) == 0
    assert manager.stands(name) == "inactive/dead/success"


def test_who_is_stopped_while_it_waits_to_come_back_leaves_no_keeper(manager: Managed) -> None:
    text = "[Service]\nRestart=always\nRestartSec=1000\nExecStart=/bin/false"
    name = manager.add("patient", text)
    manager.start(name)
    until(lambda: manager.unit(name)["sub"] == "auto-restart")
    assert manager.stop(name) == 0
    assert manager.unit(name)["pids"] == {}


def test_a_keeper_hears_no_signal_of_its_service(manager: Managed) -> None:
    text = "/bin/sh -c 'for s in TERM INT HUP QUIT USR1 ALRM PIPE; do kill -$s $PPID; done; echo done; exec sleep 1000'"
    name = manager.add("patricide", text)
    assert manager.start(name) == 0
    until(lambda: manager.lines(f"{name}.service") == ["done"])
    assert manager.stands(name) == "active/running/success"
    assert manager.stop(name) == 0


# Whoever asks


@pytest.fixture
def client(manager: Managed) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX) as channel:
        channel.settimeout(30)
        channel.connect(str(manager.place / "control"))
        yield channel


GARBAGE = [
    b"\n",
    b"hello\n",
    b"[]\n",
    b'{"verb": 1, "names": 5}\n',
    b'{"names": []}\n',
    b'{"verb": "start", "names": ["../../etc/passwd", "a\\u0000b"]}\n',
    b'{"verb": "start", "names": [""]}\n',
    b'{"verb": "kill", "names": ["nothing"], "signal": "SIGNOTHING"}\n',
    b"[" * 60000 + b"\n",
    b"\xff\xfe\x00\n",
    b'{"verb": "states", "names": {"a": 1}}\n',
]


@pytest.mark.parametrize("words", GARBAGE)
def test_garbage_is_answered_with_words(
    manager: Managed, client: socket.socket, words: bytes
) -> None:
    client.sendall(words)
    with client.makefile("rb") as answers:
        assert b'"status"' in answers.readline()
    assert manager.stands("nothing") == "inactive/dead/success"


def test_ten_megabytes_cost_the_client_its_connection(
    manager: Managed, client: socket.socket
) -> None:
    with pytest.raises(OSError):
        client.sendall(b"x" * 10_000_000)
    assert manager.stands("nothing") == "inactive/dead/success"


def test_clients_that_hang_hold_up_nobody(manager: Managed) -> None:
    hanging = []
    for number in range(100):  # more than are kept
        channel = socket.socket(socket.AF_UNIX)
        channel.connect(str(manager.place / "control"))
        channel.sendall(b'{"verb": "sta' if number % 2 else b"")
        hanging.append(channel)
        assert number % 20 or manager.stands("nothing") == "inactive/dead/success"
    for channel in hanging:
        channel.close()


def test_who_asks_stands_in_line(manager: Managed) -> None:
    """connect(2) with a time limit is refused at once if others wait already: unix(7)."""
    manager.process.send_signal(signal.SIGSTOP)
    line = []
    try:
        while True:
            channel = socket.socket(socket.AF_UNIX)
            line.append(channel)
            channel.setblocking(False)
            channel.connect(str(manager.place / "control"))
    except BlockingIOError:
        pass
    found: list[str] = []
    asking = threading.Thread(target=lambda: found.append(manager.stands("nothing")))
    asking.start()
    try:
        until(lambda: _waits(asking), "it waits in connect(2)")
    finally:
        manager.process.send_signal(signal.SIGCONT)
    asking.join(60)
    assert found == ["inactive/dead/success"]
    for channel in line:
        channel.close()


def _waits(thread: threading.Thread) -> bool:
    """Whether it sleeps in the kernel (proc(5)); what it has not begun with it cannot have failed in."""
    stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text().rpartition(")")[2].split()
    return stat[0] == "S" or not thread.is_alive()


def test_a_client_that_does_not_read_its_answer_holds_up_nobody(
    manager: Managed, client: socket.socket
) -> None:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
    client.sendall(b'{"verb": "states", "names": [' + b'"nothing",' * 1000 + b'"nothing"]}\n')
    started = time.monotonic()
    assert manager.stands("nothing") == "inactive/dead/success"
    assert time.monotonic() - started < 30


def test_a_client_that_goes_away_while_it_waits_leaves_its_job(manager: Managed) -> None:
    name = manager.add(
        "slowly", "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'sleep .3; echo done'"
    )
    with socket.socket(socket.AF_UNIX) as channel:
        channel.connect(str(manager.place / "control"))
        channel.sendall(b'{"verb": "start", "names": ["slowly"], "wait": true}\n')
    until(lambda: manager.lines(f"{name}.service") == ["done"])
    until(lambda: manager.stands(name) == "inactive/dead/success")


def test_in_all_this_the_manager_made_no_mistake(manager: Managed) -> None:
    assert "mistake" not in manager.said()


# The end of the manager


def test_sigterm_stops_in_reverse_order_and_leaves_nothing() -> None:
    units = {
        "disk": f"/bin/sh -c '{NAP}'",
        "web": f"[Unit]\nAfter=disk.service\n[Service]\nRestart=always\nExecStart=/bin/sh -c '{NAP}'",
        "default.target": "[Unit]\nWants=disk.service web.service",
    }
    with managed(units, options=("--journal", "/dev/null")) as manager:
        until(lambda: manager.stands("web") == "active/running/success")
        everybody = manager.everybody()
        manager.process.send_signal(signal.SIGTERM)
        _, said = manager.process.communicate(timeout=60)
        assert manager.process.returncode == 0
        stopped = [line.split()[2] for line in said.splitlines() if "Stopped" in line]
        assert stopped.index("web.service.") < stopped.index("disk.service.")
        assert said.count("Started web") == 1
        assert all(map(gone, everybody))
        assert not manager.place.exists()


def test_a_second_signal_does_not_wait_for_anybody() -> None:
    text = f"[Service]\nTimeoutStopSec=infinity\nExecStart={DEAF}"
    with managed({"deaf": text}, "deaf") as manager:
        until(lambda: manager.lines("deaf.service"))
        everybody = manager.everybody()
        manager.process.send_signal(signal.SIGINT)
        until(lambda: manager.unit("deaf")["sub"] == "stop-sigterm")

        def is_gone() -> bool:
            manager.process.send_signal(signal.SIGINT)
            return manager.process.poll() is not None

        until(is_gone)
        assert manager.process.returncode == 0
        assert all(map(gone, everybody))


def test_a_signal_that_comes_twice_at_once_is_one() -> None:
    """timeout(1) sends its signal to the command, and once more to the whole group."""
    with managed(
        {"web": "/bin/sh -c 'trap \"sleep .2; exit\" TERM; echo up; sleep 1000 & wait'"}, "web"
    ) as manager:
        until(lambda: manager.lines("web.service"))
        manager.process.send_signal(signal.SIGTERM)
        manager.process.send_signal(signal.SIGTERM)
        _, said = manager.process.communicate(timeout=60)
        assert "Stopped web.service." in said


def test_when_the_manager_is_killed_its_services_end_and_its_journal_is_whole() -> None:
    units = {
        "deaf": DEAF,
        "flood": "/bin/sh -c 'while :; do echo 0123456789; done'",
    }
    with managed(units, "deaf") as manager:
        until(lambda: manager.lines("deaf.service"))
        assert manager.start("flood") == 0
        until(lambda: (manager.place / "journal").stat().st_size > 1_000_000)
        everybody = manager.everybody()
        manager.process.kill()
        manager.process.wait()
        until(lambda: all(map(gone, everybody)), "they ended within the grace")
        flood = manager.lines("flood.service")
        assert set(flood) == {"0123456789"} and len(flood) > 1000
        assert manager.lines("deaf.service") == ["up"]


def test_after_a_manager_that_was_killed_another_begins_in_the_same_folder() -> None:
    """When the last of the old services has ended, who could hold a port still."""
    with managed(
        {"slow": "/bin/sh -c 'trap \"sleep .3; exit\" TERM; sleep 1000 & wait'"}
    ) as manager:
        assert manager.start("slow") == 0
        everybody = manager.everybody()
        manager.process.kill()
        manager.process.communicate()
        manager.begin()
        assert all(map(gone, everybody))
        assert manager.start("slow") == 0  # all that it left behind is ours
        assert manager.stands("slow") == "active/running/success"


def test_a_second_manager_in_the_same_place_is_refused(manager: Managed, tmp_path: Path) -> None:
    from forklab.command.main import main

    assert main(["services", "--runtime", str(manager.place), str(tmp_path)]) == 1
    assert manager.stands("nothing") == "inactive/dead/success"


def test_a_service_finds_all_signals_as_they_are_by_default() -> None:
    """However the manager was started: nohup(1) ignores SIGHUP, and Python SIGPIPE and SIGXFSZ."""
    text = "/bin/sh -c 'grep -e SigIgn -e SigBlk /proc/self/status; exec sleep 1000'"
    with managed({"web": text}, before=("nohup",)) as manager:
        assert manager.start("web") == 0
        until(lambda: len(manager.lines("web.service")) == 2)
        blocked, ignored = (int(line.split()[1], 16) for line in manager.lines("web.service"))
        standard = (1 << 31) - 1
        assert (blocked, ignored & standard) == (0, 1 << signal.SIGPIPE - 1)
