"""A folder that is wrong in every way, and a service that fills the machine: as people see it at their terminal."""

from __future__ import annotations

import os
import random
import shutil

import pytest
from managed import managed, until

WAITS = "[Service]\nExecStart=/bin/sleep 1000\n"
BAD = {
    "a.service": f"[Unit]\nRequires=b.service\nAfter=b.service\n{WAITS}",
    "b.service": f"[Unit]\nRequires=a.service\nAfter=a.service\n{WAITS}",
    "typo.service": f"{WAITS}Restrat=always\nTimeoutSec=soon\n[Instal]\nWantedBy=x\n",
    "empty.service": "[Service]\nType=simple\n",
    "long.service": f"{WAITS}" + "Environment=A=1\n" * 100_000 + "Nonsense=1\n" * 10_000,
    "odd.service": f"{WAITS}ExecStartPre=/no/such/program 'open\n",
    "env.service": f"{WAITS}EnvironmentFile=/no/such/file\n",
    "good.service": WAITS,
    "default.target": "[Unit]\nWants=good.service typo.service long.service empty.service a.service\n",
}


def test_of_a_folder_of_bad_units_the_good_ones_run_and_each_fault_is_named() -> None:
    with managed(BAD, options=("--vendor", "/no/such/folder")) as manager:
        (manager.folder / "junk.service").write_bytes(random.Random(1).randbytes(20_000))
        (manager.folder / "gone.service").symlink_to("/no/such/file")
        (manager.folder / "folder.service").mkdir()
        os.mkfifo(manager.folder / "fifo.service")
        manager.ask("daemon-reload")
        for name in ("good", "typo", "long"):
            until(lambda name=name: manager.stands(name) == "active/running/success", name)
        refused = {name: manager.ask("start", name, wait=True) for name in ("a", "empty", "junk")}
        assert manager.start("env") == 1
        until(lambda: manager.stands("env") == "failed/failed/resources")
        folder = manager.folder
        manager.process.terminate()
        _, said = manager.process.communicate(timeout=60)
    assert manager.process.returncode == 0
    lines = [line[9:].replace(f"{folder}/", "") for line in said.splitlines()]
    for start in (
        "typo.service:3: Restrat= is no key of [Service]; did you mean Restart=?",
        "typo.service:4: TimeoutSec=: 'soon' is no span of time",
        "typo.service:6: [Instal] is no section",
        "long.service:100003: Nonsense= is no key of [Service]; did you mean",
        "odd.service:3: a ' is not closed: the unit cannot be started",
        "empty.service: it has no ExecStart=",
        "junk.service:1: not UTF-8, or with a NUL: the line is ignored (and ",
        "gone.service: cannot be read: it is a link that leads nowhere",
        "folder.service: cannot be read: it is no regular file",
        "fifo.service: cannot be read: it is no regular file",
        "env.service: Failed to run ExecStart= /bin/sleep: /no/such/file: No such file or directory",
        "a.service: Transaction order is cyclic",
    ):
        assert any(line.startswith((start, start.partition(": ")[2])) for line in lines), start
    assert "Traceback" not in said and "mistake" not in said
    assert len(lines) < 100
    for name, answer in refused.items():
        assert answer.status == 1
        assert answer.words[0].startswith(f"Failed to start {name}.service: "), answer.words


@pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("setpriv"),
    reason="only root can give a service a user of its own, whose processes are counted",
)
def test_a_service_that_forks_for_ever_is_stopped() -> None:
    """A hundred processes, each in a session of its own, none of which hears SIGTERM."""
    bomb = (
        "import os, signal, time\\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\\nwhile True:\\n"
        " try:\\n  if not os.fork(): os.setsid()\\n except OSError: time.sleep(.001)\\n"
    )
    few = "/usr/bin/setpriv --reuid=4242 --clear-groups /usr/bin/prlimit --nproc=100"
    text = f'[Service]\nTimeoutStopSec=200ms\nExecStart={few} /usr/bin/env python3 -c "{bomb}"\n'
    before = ("unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc")
    with managed({"bomb": text, "good": WAITS}, before=before) as manager:
        assert manager.start("bomb") == 0
        until(lambda: len(manager.unit("bomb")["processes"]) == 100)
        assert manager.stop("bomb") == 0
        assert manager.unit("bomb")["pids"] == {}
        assert manager.start("good") == 0
        manager.ask("exit")
        assert manager.process.wait(60) == 0
