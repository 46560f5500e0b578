"""Makes a family of processes below itself.

    python3 tree.py chain N | fan N | binary N

It works, as long as nobody is to have more than one child and no grandchild. Make it right for all:
the handout (README.md) says what is asked; `make check LAB=fork_tree SUBMISSION=...` says how far
you are.
"""

import os
import sys


def main(shape, n):
    if n == 0:
        return 0  # a family of one

    # Step 1, fan: the parent needs N children, so it goes through this N times. And the child? It
    # comes back from fork() too, at the same place. What does it do next, and what must it not do?
    # os.fork()
    #
    # Step 2, chain: here it is the child that has one child more, while its parent does not.
    #
    # Step 3, binary: two children for everybody, down to the last generation. How does a child know
    # how many generations are left? It has a copy of all of its parent's variables.
    if os.fork() == 0:
        os._exit(0)

    # Step 4, waiting: this waits for one child. os.wait()
    os.wait()

    # Step 5, counting: everybody exits with the number of its own children.
    return 1


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print("usage: tree.py chain N | fan N | binary N", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
