"""A small init that tidies up: when its command ends, or SIGTERM comes, it says so to all that are
left, gives them ten seconds, and ends those that are still there.

    python3 init.py CMD [ARG...]

Only for PID 1: it signals everybody in its PID namespace, and anywhere else that would be the whole
machine.

As in the lab init, every signal is blocked from the start and fetched with sigwaitinfo(2), one at a
time. That the ten seconds are over is a signal too.
"""

import contextlib
import os
import signal
import sys
import time

USAGE, CANNOT_EXECUTE, NOT_FOUND, KILLED = 2, 126, 127, 128
EVERY_SIGNAL = signal.valid_signals()
EVERYBODY = -1
GRACE = 10  # seconds


def main(command):
    if os.getpid() != 1:
        print("init: only as PID 1: it signals everybody", file=sys.stderr)
        return USAGE
    signal.pthread_sigmask(signal.SIG_SETMASK, EVERY_SIGNAL)
    # Were SIGCHLD ignored, children would vanish without a status: wait(2).
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    terminal = foreground_terminal()

    child = os.fork()
    if child == 0:
        become(command, terminal)
    # The child does this too. It is done when the first of us two has done it.
    with contextlib.suppress(OSError):  # CMD runs already, or is dead: then the child has done it
        os.setpgid(child, child)

    status = Init(child).look_after()
    if terminal is not None:
        hand_over(terminal, os.getpgrp())
    return status


class Init:
    def __init__(self, command):
        self.command = command
        self.status = None  # CMD has not been collected yet
        self.deadline = None  # and there is no shutdown

    def look_after(self):
        """Live until nobody else does; return what init is to exit with."""
        while True:
            number = signal.sigwaitinfo(EVERY_SIGNAL).si_signo
            if number == signal.SIGCHLD:
                somebody_is_left = self.collect_the_dead()
                if self.status is not None:
                    if not somebody_is_left:
                        return self.status
                    self.shut_down()
            elif number == signal.SIGTERM:
                self.shut_down()
            elif number == signal.SIGALRM and self.time_is_up():
                send(EVERYBODY, signal.SIGKILL)
            elif self.status is None:  # as long as CMD's pid is its own
                send(-self.command, number)

    def collect_the_dead(self):
        """Collect every child that is dead by now; return whether anybody is left.

        Whoever lives in our namespace is our child, or the child of one who lives.
        """
        while True:
            try:
                child, wait_status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return False
            if child == 0:
                return True
            if child == self.command:
                self.status = exit_status(wait_status)

    def shut_down(self):
        """Say goodbye to everybody, once: a second time neither repeats nor prolongs it."""
        if self.deadline is None:
            self.deadline = time.monotonic() + GRACE
            signal.setitimer(signal.ITIMER_REAL, GRACE)
            send(EVERYBODY, signal.SIGTERM)
            send(EVERYBODY, signal.SIGCONT)  # who is stopped can hear nothing

    def time_is_up(self):
        return self.deadline is not None and time.monotonic() >= self.deadline


def send(whom, number):
    with contextlib.suppress(OSError):  # nobody is there
        os.kill(whom, number)


def exit_status(wait_status):
    if os.WIFEXITED(wait_status):
        return os.WEXITSTATUS(wait_status)
    return KILLED + os.WTERMSIG(wait_status)


def become(command, terminal):
    """Turn the child into CMD, which starts clean; never return."""
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
    """A standard descriptor that is a terminal and has us in its foreground, or None."""
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
