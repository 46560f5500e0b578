"""Starts a command as a daemon: nobody's child but init's, and away from the terminal.

    python3 daemonize.py CMD [ARG...]

Three processes: the caller waits, until it knows what became of CMD; the middle one leads a new
session and ends at once; the daemon executes CMD. The caller learns by a pipe that is closed on
exec: its end means that CMD runs, and a number that is read from it, why it does not.
"""

import errno
import fcntl
import os
import signal
import sys

USAGE, CANNOT_EXECUTE, NOT_FOUND = 2, 126, 127
STANDARD_DESCRIPTORS = (0, 1, 2)


def main(command):
    answer, report = (above_standard(end) for end in os.pipe())
    middle = os.fork()
    if middle == 0:
        stand_between(command, report)
    os.close(report)  # or we wait for the end of what we could still write ourselves
    os.waitpid(middle, 0)

    reason = os.read(answer, 8)
    if not reason:
        return 0
    print(f"daemonize: {command[0]}: {os.strerror(int(reason))}", file=sys.stderr)
    return NOT_FOUND if int(reason) in (errno.ENOENT, errno.ENOTDIR) else CANNOT_EXECUTE


def above_standard(descriptor):
    """The same file under a number above the standard descriptors, closed on exec.

    Where 0, 1 or 2 were closed the pipe got that number, and the daemon would put /dev/null in its
    place.
    """
    copy = fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(descriptor)
    return copy


def stand_between(command, report):
    """The second process: whose child the daemon is, until it ends. Never returns."""
    try:
        os.setsid()  # fails for a group's leader, which a child is not
        if os.fork() == 0:
            become(command)
    except (OSError, ValueError) as error:  # ValueError: Python refuses an empty name itself
        os.write(report, b"%d" % (getattr(error, "errno", None) or errno.ENOENT))
    finally:
        os._exit(0)  # whatever went wrong: there must not be a second caller


def become(command):
    """The third process becomes CMD; raises OSError if it cannot.

    It belongs to the new session but does not lead it, so it can never get a controlling terminal
    by opening one (credentials(7)).
    """
    os.chdir("/")
    nowhere = os.open("/dev/null", os.O_RDWR)
    for descriptor in STANDARD_DESCRIPTORS:
        os.dup2(nowhere, descriptor)
        os.set_inheritable(descriptor, True)  # `nowhere` may be one of them, if it was closed
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores these, and exec keeps that
    os.execvp(command[0], command)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: daemonize.py CMD [ARG...]", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(main(sys.argv[1:]))
