"""Adopts whoever loses its parent below it, and tells how each of them ended.

    python3 foster.py CMD [ARG...]

A subreaper is for its descendants what PID 1 is for all: their orphans become its children
(PR_SET_CHILD_SUBREAPER, prctl(2)).
"""

import ctypes
import os
import signal
import sys

USAGE, CANNOT_EXECUTE, NOT_FOUND = 2, 126, 127
PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>; Python has no prctl() of its own


def main(command):
    # Were SIGCHLD ignored, children would vanish without a status: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Before fork(): CMD may leave orphans as soon as it is there. And in the parent: a child does
    # not inherit it.
    become_subreaper()
    child = os.fork()
    if child == 0:
        become(command)
    return foster(child)


def become_subreaper():
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def foster(command):
    """Collect everybody until nobody is left; return what CMD ended with.

    CMD may end first or last: orphans that live on are still ours.
    """
    status = 0
    while True:
        try:
            child, wait_status = os.wait()
        except ChildProcessError:
            return status
        if child == command:
            status = exit_status(wait_status)
        else:
            # At once: somebody may be reading while the next one still lives.
            print("orphan exited with", exit_status(wait_status), flush=True)


def exit_status(wait_status):
    """What a shell would call it: N, or 128 + n for signal n."""
    if os.WIFEXITED(wait_status):
        return os.WEXITSTATUS(wait_status)
    return 128 + os.WTERMSIG(wait_status)


def become(command):
    """Turn the child into CMD; never return."""
    status = CANNOT_EXECUTE
    try:
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores these, and exec keeps that
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:  # ValueError: Python refuses an empty name itself
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
            status = NOT_FOUND
        print(f"foster: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)  # whatever went wrong: there must not be a second foster parent


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: foster.py CMD [ARG...]", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(main(sys.argv[1:]))
