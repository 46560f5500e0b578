"""An init that starts one command and waits for it.

    python3 init.py CMD [ARG...]

It works, until somebody dies whom it did not start, or a signal comes. Make it a good one: the
handout (README.md) says what is asked; `make check LAB=init SUBMISSION=...` says how far you are.
"""

import os
import sys


def main(command):
    # Part 3, signals: when should init begin to hold signals back, so that none is lost between
    # here and the moment when CMD runs? signal.pthread_sigmask()

    child = os.fork()
    if child == 0:
        become(command)

    # Part 1, reaper: this waits for CMD alone. Orphans become init's children too, and nobody else
    # will ever collect them. How do you wait for any child, and know when it was CMD? os.waitpid()
    #
    # Part 3, signals: init must wait for two things at once, a child's death and a signal to pass
    # on, without polling. A death announces itself by a signal too: can one call wait for all
    # signals? signal.sigwaitinfo(). But one SIGCHLD may stand for several deaths.
    _, status = os.waitpid(child, 0)

    # Part 2, status: what if CMD did not exit, but was killed by a signal?
    return os.WEXITSTATUS(status)


def become(command):
    """Turn the child into CMD; never return."""
    try:
        # Part 3, signals: CMD leads a process group of its own. os.setpgid()
        #
        # Part 4, hygiene: CMD must not notice that there is an init. What did you change in main()
        # that survives exec? signal(7) tells: look for "execve". Python changes something too: it
        # ignores two signals from its start. And if init stands in the foreground of a terminal,
        # CMD's group takes that place. os.tcsetpgrp()
        os.execvp(command[0], command)
    except OSError as error:
        # Part 2, status: we get here only if execvp() failed. The error says why: 127 or 126?
        print(f"init: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)  # whatever happens, the child must not go on as a second init


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: init.py CMD [ARG...]", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
