#!/usr/bin/env python3
### BEGIN INIT INFO
# Provides:          web
# Required-Start:    $remote_fs $network
# Required-Stop:     $remote_fs $network
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: A small web server
### END INIT INFO
"""web start|stop|restart|reload|status, with the exit statuses of the LSB.

webd goes into the background by itself and writes its pid into the file. A number in a file is a hint and no fact: a
pidfd says whom we mean, and stays with that process whatever becomes of its number.
"""

import fcntl
import os
import select
import signal
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("TMPDIR", "/tmp"))
PID_FILE = FOLDER / "web.pid"
LONGEST_STOP = 3.0  # seconds
FAILED, WRONG_ARGUMENTS, NOT_RUNNING = 1, 2, 7
DEAD, STOPPED = 1, 3  # as `status` tells them


def find_daemon() -> int | None:
    """A pidfd of the webd whose pid is in the file; None if there is none that lives."""
    try:
        pid = int(PID_FILE.read_text())
        daemon = os.pidfd_open(pid)
    except (OSError, ValueError, OverflowError):
        return None
    try:
        # After pidfd_open(): if the number has been given to somebody else before, this is their name.
        name, state = Path(f"/proc/{pid}/stat").read_text().split()[1:3]
        if name == "(webd)" and state != "Z":
            return daemon
    except OSError:
        pass
    os.close(daemon)
    return None


def start() -> int:
    if find_daemon() is not None:
        return 0
    return FAILED if subprocess.run(["webd"]).returncode else 0


def stop() -> int:
    daemon = find_daemon()
    if daemon is not None:
        signal.pidfd_send_signal(daemon, signal.SIGTERM)
        if not has_ended(daemon, LONGEST_STOP):
            signal.pidfd_send_signal(daemon, signal.SIGKILL)
            has_ended(daemon, None)
    PID_FILE.unlink(missing_ok=True)
    return 0


def has_ended(daemon: int, seconds: float | None) -> bool:
    """Whether it has by then. A pidfd can be read from once its process is dead: nobody has to look again and again."""
    return bool(select.select([daemon], [], [], seconds)[0])


def restart() -> int:
    stop()
    return start()


def reload() -> int:
    daemon = find_daemon()
    if daemon is None:
        return NOT_RUNNING
    signal.pidfd_send_signal(daemon, signal.SIGHUP)
    return 0


def status() -> int:
    if find_daemon() is not None:
        print("web runs")
        return 0
    if PID_FILE.exists():
        print("web is dead, and has left its pid file")
        return DEAD
    print("web does not run")
    return STOPPED


CHANGES = {"start": start, "stop": stop, "restart": restart}
OTHERS = {"reload": reload, "status": status}


def main() -> int:
    action = sys.argv[1] if len(sys.argv) == 2 else ""
    if action in OTHERS:
        return OTHERS[action]()
    if action not in CHANGES:
        print(f"usage: {sys.argv[0]} start|stop|restart|reload|status", file=sys.stderr)
        return WRONG_ARGUMENTS
    # One at a time: between the look at the file and the start another one could look. webd does not get this
    # descriptor: what Python opens is not inherited.
    with open(FOLDER / "web.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return CHANGES[action]()


sys.exit(main())
