"""Gives a command its time, always all of it, and ends the command alone.

    python3 timeout.py [-k S] SECONDS CMD [ARG...]

Make it a good one: the handout (README.md) says what is asked, and
`make check LAB=timeout SUBMISSION=...` how far you are.
"""

import os
import signal
import sys
import time


def main(arguments):
    # Part 3, options: -k S may stand before SECONDS; and is SECONDS a number at all? But what
    # stands behind CMD belongs to CMD, however much it looks like an option. getopt.getopt()
    if len(arguments) < 2:
        print("usage: timeout.py [-k S] SECONDS CMD [ARG...]", file=sys.stderr)
        return 125
    seconds, command = float(arguments[0]), arguments[1:]

    # Part 2, the group: whom does CMD start, and how can you reach them all at once? And whom do
    # you reach then who has nothing to do with it? os.setpgid(), os.kill()
    #
    # Part 4, signals: somebody may send *you* a signal that is meant for CMD, and that at any
    # moment. From which line on must you be ready? signal.pthread_sigmask()
    child = os.fork()
    if child == 0:
        become(command)

    # Part 1, status: CMD may end before the time is up. You wait for two things: a child's death
    # and a clock. Both can announce themselves by a signal; can one call wait for either?
    # signal.setitimer(), signal.sigwaitinfo()
    time.sleep(seconds)

    os.kill(child, signal.SIGTERM)  # Part 3, -k: and if CMD does not care for SIGTERM?
    os.waitpid(child, 0)

    # Part 1, status: which of the two was it? 124, N or 128 + n
    return 124


def become(command):
    """Turn the child into CMD; never return."""
    try:
        # Part 4, signals: what have you changed above that CMD must not inherit? Python itself
        # ignores two signals from its start.
        os.execvp(command[0], command)
    except OSError as error:
        # Part 1, status: we get here only if execvp() failed. The error says why: 127 or 126?
        print(f"timeout: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)  # whatever happens, the child must not go on as a second timeout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
