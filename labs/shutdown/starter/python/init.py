"""An init that collects everybody and passes signals on, and leaves without a word when its command
ends: the kernel kills who is left.

    python3 init.py CMD [ARG...]

Make it shut down in good order: the handout (README.md) says what is asked, and
`make check LAB=shutdown SUBMISSION=...` how far you are.
"""

import contextlib
import os
import signal
import sys

EVERY_SIGNAL = signal.valid_signals()


def main(command):
    # Part 2, everybody: you are going to signal everybody there is. As PID 1 of a container that is
    # what you want; anywhere else it is the whole machine. os.getpid()
    signal.pthread_sigmask(signal.SIG_SETMASK, EVERY_SIGNAL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)

    child = os.fork()
    if child == 0:
        become(command)
    with contextlib.suppress(OSError):
        os.setpgid(child, child)
    return look_after(child)


def look_after(command):
    while True:
        number = signal.sigwaitinfo(EVERY_SIGNAL).si_signo
        if number == signal.SIGCHLD:
            status = collect_the_dead(command)
            if status is not None:
                # Part 1, goodbye: CMD has ended, the others have not. Who tells them? kill(2): what
                # does it do with the pid -1?
                #
                # Part 3, the last one out: and when may you go? os.waitpid() answers a pid, or 0,
                # or raises ChildProcessError; which of them says that nobody is left?
                return status
        else:
            # Part 1, goodbye: SIGTERM to init means that all shall end, not CMD alone. And if it
            # comes twice?
            #
            # Part 4, patience: ten seconds later somebody may still be there. You wait for three
            # things at once now: can the end of a time be a signal, too? signal.setitimer()
            with contextlib.suppress(OSError):
                os.killpg(command, number)


def collect_the_dead(command):
    """Collect every child that is dead by now; return the exit status if CMD is among them."""
    status = None
    while True:
        try:
            child, wait_status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if child == 0:
            return status
        if child == command:
            exited = os.WIFEXITED(wait_status)
            status = os.WEXITSTATUS(wait_status) if exited else 128 + os.WTERMSIG(wait_status)


def become(command):
    """Turn the child into CMD; never return."""
    status = 126
    try:
        os.setpgid(0, 0)
        for number in EVERY_SIGNAL - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        os.execvp(command[0], command)
    except (OSError, ValueError) as error:
        if isinstance(error, (FileNotFoundError, NotADirectoryError, ValueError)):
            status = 127
        print(f"init: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


if __name__ == "__main__":
    if len(sys.argv) < 2:
        print("usage: init.py CMD [ARG...]", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
