"""A small init: starts one command, collects every process that dies under it, passes signals on.

    python3 init.py CMD [ARG...]

Every signal is blocked from the start and fetched with sigwaitinfo(2), one at a time. So there are
no handlers, nothing interrupts us half-way, and what comes while we are busy, or before CMD exists,
stays pending until we ask for it. Blocking also makes PID 1 hear signals whose default action it
would ignore: a blocked signal is kept, not judged (pid_namespaces(7)).
"""

import contextlib
import os
import signal
import sys

USAGE, CANNOT_EXECUTE, NOT_FOUND, KILLED = 2, 126, 127, 128
EVERY_SIGNAL = signal.valid_signals()


def main(command):
    signal.pthread_sigmask(signal.SIG_SETMASK, EVERY_SIGNAL)
    # Were SIGCHLD ignored, children would vanish without a status: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    terminal = foreground_terminal()

    child = os.fork()
    if child == 0:
        become(command, terminal)
    # The child does this too. It is done when the first of us two has done it: before CMD runs, and
    # before we pass a signal to the group.
    with contextlib.suppress(OSError):  # CMD runs already, or is dead: then the child has done it
        os.setpgid(child, child)

    status = look_after(child)
    if terminal is not None:
        hand_over(terminal, os.getpgrp())
    return status


def look_after(command):
    """Live as long as CMD does; return what init is to exit with.

    CMD is collected nowhere but here, and then we are done. Until then its pid cannot be used
    again, so killpg() always means CMD's group: or nobody, if all of them have left it.
    """
    while True:
        number = signal.sigwaitinfo(EVERY_SIGNAL).si_signo
        if number == signal.SIGCHLD:
            status = collect_the_dead(command)
            if status is not None:
                return status
        else:
            with contextlib.suppress(OSError):  # nobody is in the group, or they are not ours
                os.killpg(command, number)


def collect_the_dead(command):
    """Collect every child that is dead by now; return the exit status if CMD is among them.

    One SIGCHLD can stand for many deaths, so we ask until nobody is left to ask for. It can also
    stand for none: a child that was stopped or continued raises it too, and waitpid() answers 0.
    """
    status = None
    while True:
        try:
            child, wait_status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status  # there are no children at all
        if child == 0:
            return status  # those that there are live
        if child == command:
            status = exit_status(wait_status)


def exit_status(wait_status):
    """What init exits with, so that its caller learns how CMD ended.

    PID 1 cannot die of the signal that killed CMD, so it says 128+n, as a shell does.
    """
    if os.WIFEXITED(wait_status):
        return os.WEXITSTATUS(wait_status)
    return KILLED + os.WTERMSIG(wait_status)


def become(command, terminal):
    """Turn the child into CMD; never return.

    CMD starts clean. What we block is our affair, but the mask survives execve(2), and so do
    ignored signals: Python itself ignores SIGPIPE and SIGXFSZ.
    """
    status = CANNOT_EXECUTE
    try:
        os.setpgid(0, 0)
        if terminal is not None:
            hand_over(terminal, os.getpid())  # while SIGTTOU is blocked: we are in the background
        for number in EVERY_SIGNAL - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:  # ValueError: Python refuses an empty name itself
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
            status = NOT_FOUND
        print(f"init: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)  # whatever went wrong: there must not be a second init


def foreground_terminal():
    """A standard descriptor that is a terminal and has us in its foreground, or None.

    An init that was started in the background must not take the terminal away from the shell that
    did it.
    """
    for descriptor in (0, 1, 2):
        try:
            if os.tcgetpgrp(descriptor) == os.getpgrp():
                return descriptor
        except OSError:
            pass  # closed, or no terminal, or not ours
    return None


def hand_over(terminal, group):
    """Put a process group into the foreground, if the terminal is still there."""
    with contextlib.suppress(OSError):
        os.tcsetpgrp(terminal, group)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: init.py CMD [ARG...]", file=sys.stderr)
        sys.exit(USAGE)
    sys.exit(main(sys.argv[1:]))
