#!/usr/bin/env python3
"""/etc/init.d/web, in Python. It works as long as nothing goes wrong: go through the parts of the handout."""

import os
import signal
import subprocess
import sys
from pathlib import Path

FOLDER = Path(os.environ.get("TMPDIR", "/tmp"))
PID_FILE = FOLDER / "web.pid"  # webd writes its pid there


def start() -> int:
    # Part 2: is whoever has this pid a webd? Does it live? And if there are two of us at once?
    if PID_FILE.exists():
        return 0
    subprocess.run(["webd"])
    # Part 1: what if webd has failed?
    return 0


def stop() -> int:
    # Part 2: whom do we kill here?
    os.kill(int(PID_FILE.read_text()), signal.SIGTERM)
    # Part 3: is it gone now?
    PID_FILE.unlink()
    return 0


def restart() -> int:
    stop()
    return start()


def reload() -> int:
    os.kill(int(PID_FILE.read_text()), signal.SIGHUP)
    return 0


def status() -> int:
    # Part 1: which statuses are there?
    print("web runs" if PID_FILE.exists() else "web does not run")
    return 0


ACTIONS = {"start": start, "stop": stop, "restart": restart, "reload": reload, "status": status}

sys.exit(ACTIONS[sys.argv[1]]())
