"""What the submissions here have in common: a small correct init, to show after the attack that it had no effect."""

import contextlib
import os
import sys


@contextlib.contextmanager
def unless_refused():
    """An attack that works is told by a status that no scenario expects."""
    try:
        yield
    except OSError:
        return
    os._exit(99)


def be_good():
    child = os.fork()
    if child == 0:
        os.execv(sys.argv[1], sys.argv[1:])
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
