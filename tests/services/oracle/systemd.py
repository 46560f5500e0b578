"""Real systemd as PID 1 of namespaces (boot.sh), seen as a `Manager` that facts are played on."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from playing import Answer

HERE = Path(__file__).parent
UNITS = "/etc/systemd/system"
PROPERTIES = ("LoadState", "ActiveState", "SubState", "Result", "NRestarts")
_CAPABILITIES = "-sys_time,-sys_module,-sys_boot,-syslog,-mac_admin,-sys_rawio"  # as boot.sh


class Systemd:
    """One that has been booted. `lab` is the folder that it sees as /lab."""

    def __init__(self, pid: int, lab: Path) -> None:
        self.pid = pid
        self._lab = lab
        self._cursor = ""

    @property
    def version(self) -> str:
        return self.control("--version").out.splitlines()[0]

    def run(self, *command: str, seconds: float = 30) -> Answer:
        """A command within its namespaces, with no more capabilities than it has."""
        inside = ["nsenter", f"--target={self.pid}", "--all", "setpriv"]
        inside += [
            f"--bounding-set={_CAPABILITIES}",
            "env",
            "-i",
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
        ]
        try:
            done = subprocess.run(
                [*inside, *command],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return Answer(124, "", "timeout")
        return Answer(done.returncode, done.stdout, done.stderr)

    def control(self, *arguments: str) -> Answer:
        return self.run("systemctl", "--no-pager", *arguments)

    def shell(self, command: str) -> Answer:
        return self.run("sh", "-c", command)

    def show(self, unit: str) -> str:
        told = self.control("show", unit, "-p", ",".join(PROPERTIES)).out
        found = dict(line.split("=", 1) for line in told.splitlines())
        return "/".join(found.get(each) or "-" for each in PROPERTIES)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def begin(self, files: dict[str, str]) -> None:
        """These files are there, names without a slash in front are units; nothing of before is in the log."""
        for name, text in files.items():
            path = name if name.startswith("/") else f"{UNITS}/{name}"
            self.write(path, text)
        log = self._lab / "log"
        log.write_text("")
        log.chmod(0o666)
        last = self.run("journalctl", "-n1", "--show-cursor", "-q", "-ocat").out
        self._cursor = last.partition("-- cursor: ")[2].strip()
        self.control("daemon-reload")

    def write(self, path: str, text: str) -> None:
        passed = self._lab / "passed"
        passed.write_text(text)
        self.run("install", "-D", "-m755", "/lab/passed", path)

    def log(self) -> list[str]:
        return (self._lab / "log").read_text(errors="replace").splitlines()

    def journal(self) -> list[tuple[str, str]]:
        """What PID 1 said of units, and they themselves: (unit, words)."""
        said = []
        for line in self.run(
            "journalctl", f"--after-cursor={self._cursor}", "-q", "-ojson"
        ).out.splitlines():
            entry = json.loads(line)
            unit = entry.get("UNIT") or entry.get("_SYSTEMD_UNIT") or ""
            text = entry.get("MESSAGE") or ""
            if isinstance(text, list):
                text = bytes(text).decode(errors="replace")
            if isinstance(unit, str):
                said.append((unit, text))
        return said

    def end(self, units: list[str], files: dict[str, str]) -> None:
        """Nothing of the fact is left."""
        if units:
            self.control("kill", "-sKILL", *units)
            self.run("timeout", "8", "systemctl", "stop", *units)
        self.shell(
            f"cd {UNITS}; for f in *.d *.wants *.requires *.service *.target; do case $f in"
            " *.target.wants|*.target.requires) rm -f $f/t* $f/foo* $f/bar*; rmdir $f 2>/dev/null;;"
            " t*|foo*|bar*|service.d|target.d) rm -rf $f;; esac; done"
        )
        for name in files:
            if name.startswith("/"):
                self.run("rm", "-f", name)
        self.shell(
            "rm -rf /run/systemd/system/[tfb]* /usr/lib/systemd/system/t[a-z].service;"
            " cd /run; for f in t*; do case $f in tmpfiles.d) ;; *) rm -rf $f;; esac; done"
        )
        self.control("daemon-reload")
        self.control("reset-failed")


@contextlib.contextmanager
def booted(root: Path, lab: Path, act: Path) -> Iterator[Systemd]:
    """Raises RuntimeError if it does not come up within a minute."""
    lab.mkdir(parents=True, exist_ok=True)
    shutil.copy(act, lab / "act")
    # Whatever becomes of us, it does not outlive us.
    machine = subprocess.Popen(["setpriv", "--pdeathsig=TERM", HERE / "boot.sh", root, lab])
    try:
        pid = _first_below(machine.pid)
        systemd = Systemd(pid, lab)
        for _ in range(120):
            state = systemd.control("is-system-running").out.strip()
            if state in ("running", "degraded"):
                break
            if machine.poll() is not None:
                raise RuntimeError(f"systemd ended with {machine.returncode}")
            time.sleep(0.5)
        else:
            raise RuntimeError("systemd does not come up")
        yield systemd
    finally:
        machine.terminate()
        machine.wait(30)


def _first_below(boot: int) -> int:
    """The pid, out here, of whom unshare(1) has made PID 1: it is the grandchild of boot.sh."""
    for _ in range(100):
        children = Path(f"/proc/{boot}/task/{boot}/children").read_text().split()
        for child in children:
            grandchildren = Path(f"/proc/{child}/task/{child}/children").read_text().split()
            if grandchildren and Path(f"/proc/{grandchildren[0]}/comm").read_text() == "systemd\n":
                return int(grandchildren[0])
        time.sleep(0.1)
    raise RuntimeError("boot.sh has started no systemd")
