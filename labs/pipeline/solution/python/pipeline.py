"""Runs commands side by side, each one's output being the next one's input.

    python3 pipeline.py A [ARG...] '|' B [ARG...] ...

A reader comes to the end of a pipe when nobody holds its writing end any more, and a writer is told
by SIGPIPE that nobody reads when nobody holds its reading end. So whoever needs an end holds it,
and nobody else: neither we, nor a command that was started earlier or later.
"""

import fcntl
import os
import signal
import sys

USAGE, CANNOT_EXECUTE, NOT_FOUND, KILLED = 2, 126, 127, 128
STDIN, STDOUT, STDERR = 0, 1, 2


def main(words):
    commands = split(words)
    if not all(commands):
        print("usage: pipeline.py A [ARG...] '|' B [ARG...] ...", file=sys.stderr)
        return USAGE
    # Were SIGCHLD ignored, children would vanish without a status: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # ^C is for everybody in the pipeline. Python would make an exception of it, also in a child
    # that has not executed its command yet.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    # Everybody is started before anybody is waited for: a pipe holds 64 KiB, and whoever writes
    # more waits until somebody reads.
    children = []
    given = None  # the reading end of the pipe before; the first command has our own input
    for i, command in enumerate(commands):
        next_input, output = make_pipe() if i + 1 < len(commands) else (None, None)
        try:
            child = os.fork()
        except OSError as error:  # the others must still be waited for
            print(f"pipeline: fork: {error}", file=sys.stderr)
            child = None
        if child == 0:
            become(command, given, output)
        children.append(child)
        # Close both before the next fork: whom we never gave an end to, he need not close it.
        for end in (given, output):
            if end is not None:
                os.close(end)
        given = next_input

    status = 0
    for child in children:
        # The last one in the line that failed, not the last one to end.
        status = (CANNOT_EXECUTE if child is None else exit_status(child)) or status
    return status


def split(words):
    """The commands between the bars, each a list of words."""
    commands = [[]]
    for word in words:
        if word == "|":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


def make_pipe():
    """A pipe whose ends are not 0, 1 or 2: (reading, writing).

    pipe(2) answers these where one of them is closed; then dup2() in `become` would put one end in
    the place of the other. What Python opens is closed by exec, so no command keeps what it has
    not been given as its standard input or output.
    """
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, STDERR + 1) for end in ends]
    for end in ends:
        os.close(end)
    return high


def become(command, given, output):
    """Turn the child into a command; never return."""
    status = CANNOT_EXECUTE
    try:
        if given is not None:
            os.dup2(given, STDIN)
        if output is not None:
            os.dup2(output, STDOUT)
        # Python ignores these two, and what is ignored stays so when a program is executed. But it
        # is SIGPIPE that ends a writer to whom nobody listens.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:  # ValueError: Python refuses an empty name itself
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
            status = NOT_FOUND
        print(f"pipeline: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)  # whatever went wrong: there must not be a second pipeline


def exit_status(child):
    """As a shell tells it."""
    _, wait_status = os.waitpid(child, 0)
    if os.WIFEXITED(wait_status):
        return os.WEXITSTATUS(wait_status)
    return KILLED + os.WTERMSIG(wait_status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
