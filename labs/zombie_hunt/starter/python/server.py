"""Starts what it is told to start.

    python3 server.py            reads lines "run NAME"

It was given to you like this, and it leaks: whoever it starts stays a zombie, nobody learns how it
ended, and nobody is waited for. Mend it: the handout (README.md) says what is asked, and
`make check LAB=zombie_hunt SUBMISSION=...` how far you are.
"""

import os
import sys


def main():
    # Step 2, no zombie at rest: this sleeps until a line comes. When a child dies meanwhile,
    # something has to wake the server up. SIGCHLD in signal(7); but Python goes back to sleep after
    # a signal. signal.set_wakeup_fd(), select.select()
    #
    # Step 3, nobody is kept waiting: sys.stdin reads more than it hands out. Can two lines be in
    # its buffer while select() says that there is nothing to read? os.read()
    for line in sys.stdin:
        verb, _, name = line.rstrip("\n").partition(" ")
        if verb == "run":
            start(name)

    # Step 4, end of file: some of them may still be running.
    return 0


def start(name):
    child = os.fork()
    if child == 0:
        become(name)
    print(name, "started", flush=True)

    # Step 1, ends: how did it end? An os.waitpid() here would tell, but not before it has ended,
    # and the next line may be there already. So who is to be remembered here, for later?


def become(name):
    """Turn the child into NAME; never return."""
    try:
        os.execvp(name, [name])
    except OSError as error:
        print(f"server: {name}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(127)


if __name__ == "__main__":
    sys.exit(main())
