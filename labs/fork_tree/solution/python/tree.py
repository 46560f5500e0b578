"""Makes a family of processes below itself, waits for it, and tells its size by exit statuses.

    python3 tree.py chain N      N generations, one child each
    python3 tree.py fan N        one generation, N children
    python3 tree.py binary N     N generations, two children each

All three are one thing: so many children for everybody, and so many generations.
"""

import os
import sys

USAGE, TROUBLE = 2, 255


def main(words):
    shape, n = words[0], int(words[1])
    if shape == "chain":
        return raise_family(children=1, generations=n)
    if shape == "fan":
        return raise_family(children=n, generations=1)
    return raise_family(children=2, generations=n)


def raise_family(children, generations):
    """Make the family of one process and wait for it; return how many children that process has.

    fork() returns twice. The child goes down, to the next generation, and never comes back into
    this loop: it would go on as if it were its own parent.
    """
    born = 0
    if generations > 0:
        for _ in range(children):
            if os.fork() == 0:
                live_as_a_child(children, generations - 1)
            born += 1
    wait_for_all_children()
    return born


def live_as_a_child(children, generations):
    """Be a child: have a family of one's own, exit with its size, and never return."""
    status = TROUBLE
    try:
        status = raise_family(children, generations)
    finally:
        os._exit(status)  # whatever went wrong: an exception must not climb into the parent's loop


def wait_for_all_children():
    """Wait until there is no child left: wait() tells of one at a time, whichever died first."""
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def understood(words):
    """Whether the words are a shape and a number."""
    return (
        len(words) == 2
        and words[0] in ("chain", "fan", "binary")
        and words[1].isdecimal()
        and int(words[1]) <= 255
    )


if __name__ == "__main__":
    if not understood(sys.argv[1:]):
        print("usage: tree.py chain N | fan N | binary N   (N from 0 to 255)", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(main(sys.argv[1:]))
