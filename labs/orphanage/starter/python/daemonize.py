"""Starts a command, and ends while it still runs.

    python3 daemonize.py CMD [ARG...]

That makes an orphan of it, but no daemon: it is still in the session, in the folder and at the
terminal of whoever called. Make it a daemon: the handout (README.md) says what is asked.
"""

import os
import sys


def main(command):
    # Step 1, a session of its own: setsid(2) refuses whoever leads a process group, and whoever
    # calls it leads the new session. Who has to call it, so that CMD is in it and does not lead it?
    # Count the processes. os.setsid()
    if os.fork() == 0:
        become(command)

    # Step 3, what became of it: "0 once CMD has been executed, else 126 or 127". CMD's end cannot be
    # waited for, so how does the caller learn that exec has failed, or has not? A pipe can tell: the
    # descriptors of os.pipe() are closed on exec.
    return 0


def become(command):
    """Turn the child into CMD; never return."""
    try:
        # Step 2, surroundings: what would keep a file system from being unmounted, and where does
        # CMD write when the terminal is gone? os.chdir(), os.open(), os.dup2()
        os.execvp(command[0], command)
    except OSError as error:
        print(f"daemonize: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(127)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: daemonize.py CMD [ARG...]", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
