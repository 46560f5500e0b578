"""Runs a command and says what becomes of it, a line for each thing that happens.

python3 fate.py CMD [ARG...]
"""

import os
import signal
import sys

USAGE, CANNOT_EXECUTE, NOT_FOUND, KILLED = 2, 126, 127, 128


def main(command):
    # Ignored by who started us, as a careless daemon does: then nobody would tell us a status.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        become(command)
    while True:
        _, status = os.waitpid(child, os.WUNTRACED | os.WCONTINUED)
        if os.WIFEXITED(status):
            tell(f"exited with {os.WEXITSTATUS(status)}")
            return os.WEXITSTATUS(status)
        if os.WIFSIGNALED(status):
            dumped = " (core dumped)" if os.WCOREDUMP(status) else ""
            tell(f"killed by {name_of(os.WTERMSIG(status))}{dumped}")
            return KILLED + os.WTERMSIG(status)
        if os.WIFSTOPPED(status):
            tell(f"stopped by {name_of(os.WSTOPSIG(status))}")
        elif os.WIFCONTINUED(status):
            tell("continued")


def become(command):
    """Never returns: whatever goes wrong, there is one fate, and this process is not it."""
    # Python itself ignores these two, and what is ignored stays so: see execve(2).
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    status = CANNOT_EXECUTE
    try:
        os.execvp(command[0], command)
    except FileNotFoundError as error:
        print(f"fate: {command[0]}: {error.strerror}", file=sys.stderr, flush=True)
        status = NOT_FOUND
    except (OSError, ValueError) as error:
        print(f"fate: {command[0]}: {error}", file=sys.stderr, flush=True)
    os._exit(status)


def tell(line):
    """At once: whoever reads us through a pipe is to know it now, and not when we end."""
    print(line, flush=True)


def name_of(number):
    """ "SIGTERM"; Python has no names for most real-time signals, which are counted from the first."""
    if signal.SIGRTMIN < number <= signal.SIGRTMAX:
        return f"SIGRTMIN+{number - signal.SIGRTMIN}"
    return signal.Signals(number).name


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: fate.py CMD [ARG...]", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(main(sys.argv[1:]))
