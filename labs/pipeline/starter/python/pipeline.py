"""A pipeline without pipes: it runs its commands one after another.

    python3 pipeline.py A [ARG...] '|' B [ARG...] ...

Make it a real one: the handout (README.md) says what is asked, and
`make check LAB=pipeline SUBMISSION=...` how far you are.
"""

import os
import sys


def main(words):
    commands = split(words)
    if not all(commands):
        print("usage: pipeline.py A [ARG...] '|' B [ARG...] ...", file=sys.stderr)
        return 2

    status = 0
    for command in commands:
        # Part 1, pipes: between this command and the next there must be a pipe before either of
        # them is forked, so that both inherit it. os.pipe()
        child = os.fork()
        if child == 0:
            become(command)
        # Part 2, spare ends: which ends do *we* hold now that nobody needs here any more?
        #
        # Part 1, pipes: the next command has not been started, and this one may write more than a
        # pipe can hold. Who would read it? So this is no place to wait. pipe(7)
        _, status = os.waitpid(child, 0)

    # Part 3, status: of whom is this the status? And what if a signal killed him?
    return os.WEXITSTATUS(status)


def split(words):
    """The commands between the bars, each a list of words."""
    commands = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def become(command):
    """Turn the child into a command; never return."""
    try:
        # Part 1, pipes: here the child's standard input (0) becomes the reading end of the pipe
        # before it, and its standard output (1) the writing end of the pipe behind it. os.dup2()
        #
        # Part 4, surroundings: Python ignores two signals from its start, and exec keeps that. One
        # of them is what ends a writer to whom nobody listens any more. signal(7)
        os.execvp(command[0], command)
    except OSError as error:
        # Part 3, status: we get here only if execvp() failed. The error says why: 127 or 126?
        print(f"pipeline: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(1)  # whatever happens, the child must not go on as a second pipeline


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
