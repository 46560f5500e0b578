"""A place where real daemons may run as they were shipped, and be killed by hundreds.

As root: namespaces of their own for processes, mounts and the network, in which their ports are free and their folders
empty. Nobody outlives the namespace. As anybody else: no place, and the ports and folders come from drop-ins.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VENDOR = Path("/lib/systemd/system")
PACKAGES = ("nginx", "redis-server", "dnsmasq")
_EMPTY = ("/var/log/nginx", "/var/log/redis", "/var/lib/redis", "/var/lib/misc")
_COPIED = ("/etc/nginx", "/etc/dnsmasq.d")
_STAGE = f"""
set -e
ip link set lo up
mount -t tmpfs none /run
for place in {" ".join(_EMPTY)}; do
    owner=$(stat -c %u:%g $place) mode=$(stat -c %a $place)
    mount -t tmpfs none $place
    chown $owner $place
    chmod $mode $place
done
for place in {" ".join(_COPIED)}; do
    cp -a $place /run/copy
    mount -t tmpfs none $place
    cp -a /run/copy/. $place
    rm -r /run/copy
done
cp /etc/hosts /run/hosts
mount --bind /run/hosts /etc/hosts
"$@" && exit  # not as the last command: this shell is PID 1, and takes in who is orphaned
exit 1
"""
_NAMESPACES = ("--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--mount", "--net")


def need_daemons() -> None:
    """Skips the test where they are not installed."""
    missing = [name for name in PACKAGES if not (VENDOR / f"{name}.service").exists()]
    if missing:
        pytest.skip(f"not installed: apt-get install {' '.join(missing)}")


def need_root() -> None:
    if os.geteuid() != 0:
        pytest.skip(
            "daemons as they were shipped want to be started by root, on ports of their own"
        )


def play(
    program: str, *arguments: str, patience: float = 300.0, before: tuple[str, ...] = ()
) -> subprocess.CompletedProcess[str]:
    """Runs one of the programs beside this file, in such a place if we are root and nothing else is wanted `before`."""
    if not before and os.geteuid() == 0:
        before = ("unshare", *_NAMESPACES, "sh", "-c", _STAGE, "sh")
    program = str(Path(__file__).with_name(program))
    return subprocess.run(
        ["timeout", "--signal=KILL", str(patience), *before, sys.executable, program, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=patience + 30,
        check=False,
    )


def nobody() -> tuple[str, ...]:
    """The beginning of a command line, for a program that root starts and that may do as little as anybody.

    It keeps the files of root: our Python may be in a folder that nobody else can enter.
    """
    return ("unshare", "--user", "--map-user=65534", "--map-group=65534") * (os.geteuid() == 0)
