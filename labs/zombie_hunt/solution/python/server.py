"""Starts what it is told to start, and tells how each of them ended.

    python3 server.py

It reads lines "run NAME". Two things can happen at any moment, a line and a death, and it sleeps in
one place for both: a death makes SIGCHLD, SIGCHLD makes a byte in a pipe (set_wakeup_fd), and
select() waits for this pipe and for input. What came just before the sleep is in the pipe already.
"""

import os
import select
import signal
import sys

NOT_FOUND = 127
INPUT = 0


def main():
    bell, rope = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(rope, False)  # full means that it has rung: nothing is lost
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)  # it is the bell that matters
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])  # whatever our parent has left

    server = Server()
    more_to_read = True
    while more_to_read or server.children:
        ready, _, _ = select.select([bell, INPUT] if more_to_read else [bell], [], [])
        if bell in ready:
            os.read(bell, 4096)
            server.collect_the_dead()
        if INPUT in ready:
            more_to_read = server.take_input()
    return 0


class Server:
    def __init__(self):
        self.children = {}  # pid: name of those that have been started and not yet collected
        self.unfinished = b""  # the beginning of a line whose end has not come

    def take_input(self):
        """Read what there is, and obey every line of it; return whether there may be more.

        A read can bring half a line or fifty.
        """
        text = os.read(INPUT, 65536)
        *lines, self.unfinished = (self.unfinished + text).split(b"\n")
        if not text:
            lines.append(self.unfinished)  # the last line may lack its end
        for line in lines:
            self.obey(line.decode(errors="surrogateescape"))
        return bool(text)

    def obey(self, line):
        verb, _, name = line.partition(" ")
        if verb == "run" and name:
            self.start(name)
        elif line:
            print(f"server: not understood: {line}", file=sys.stderr)

    def start(self, name):
        """Nobody is collected in here: "started" comes before the end, however soon that is."""
        pid = os.fork()
        if pid == 0:
            become(name)
        self.children[pid] = name
        print(name, "started", flush=True)

    def collect_the_dead(self):
        """Collect every child that is dead by now. One SIGCHLD can stand for fifty deaths."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return  # there are no children at all
            if pid == 0:
                return  # those that there are live
            if pid in self.children:
                print(self.children.pop(pid), end_of(status), flush=True)


def end_of(status):
    if os.WIFEXITED(status):
        return f"exited with {os.WEXITSTATUS(status)}"
    number = os.WTERMSIG(status)
    try:
        return f"killed by {signal.Signals(number).name}"
    except ValueError:  # a real-time signal: they have numbers, and no names of their own
        return f"killed by SIGRTMIN+{number - signal.SIGRTMIN}"


def become(name):
    """Turn the child into NAME; never return. What is still to be read is for the server."""
    try:
        signal.set_wakeup_fd(-1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, INPUT)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores these, and exec keeps that
        os.execvp(name, [name])
    except (OSError, ValueError) as error:
        print(f"server: {name}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(NOT_FOUND)  # whatever went wrong: there must not be a second server


if __name__ == "__main__":
    sys.exit(main())
