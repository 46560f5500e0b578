"""A small shell with job control.

    python3 sh1.py

Each command is a job: a process in a group of its own. The terminal belongs to one group at a time,
the foreground; only that one may read from it, and ^C and ^Z reach that one alone.

Children are collected in one place, `Shell.collect`, which is called, never run by a signal: SIGCHLD
only wakes us while we wait for a line. So the table of jobs changes only where we change it, and a
job that ends at once is in it before anybody looks for it.
"""

import contextlib
import os
import select
import signal
import sys
import termios
from dataclasses import dataclass

CANNOT_EXECUTE, NOT_FOUND = 126, 127
RUNNING, STOPPED, ENDED = "running", "stopped", "ended"
STDIN = 0
# What signals a terminal sends to its foreground, or to who is not in it. They are for jobs.
OF_THE_TERMINAL = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
)


@dataclass
class Job:
    """`pid` is the number of its group, too; `news` has not been told before a prompt yet."""

    pid: int
    command: str
    state: str = RUNNING
    wait_status: int = 0
    news: bool = False


class Terminal:
    """Standard input, if it is one: who is in its foreground, and the modes that we like."""

    def __init__(self):
        # Started in the background by another shell, we stop until that one brings us forward. If
        # nobody is there who could, we do not even stop.
        for _ in range(16):
            if os.tcgetpgrp(STDIN) == os.getpgrp():
                break
            os.kill(0, signal.SIGTTIN)
        else:
            sys.exit("sh1: the terminal is somebody else's")
        self.foreground_before = os.getpgrp()
        set_dispositions(signal.SIG_IGN)
        if os.getsid(0) != os.getpid():
            os.setpgid(0, 0)
        self.put_into_foreground(os.getpgrp())
        self.modes = termios.tcgetattr(STDIN)

    def put_into_foreground(self, group):
        os.tcsetpgrp(STDIN, group)  # SIGTTOU is ignored: else who is not there may not ask

    def take_back(self):
        self.put_into_foreground(os.getpgrp())
        termios.tcsetattr(STDIN, termios.TCSADRAIN, self.modes)  # whatever the job did to them

    def give_back(self):
        self.put_into_foreground(self.foreground_before)


class Shell:
    def __init__(self):
        self.jobs = {}  # by number
        # A byte for each SIGCHLD: it waits in the pipe, so none comes too early to wake us.
        self.wake_up, end = os.pipe()
        os.set_blocking(self.wake_up, False)
        os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(end, warn_on_full_buffer=False)
        self.terminal = Terminal() if os.isatty(STDIN) else None

    def run(self):
        try:
            while True:
                self.collect(os.WNOHANG)
                self.tell_the_news()
                print("sh1> " if self.terminal else "", end="", flush=True)
                line = self.next_line()
                if not line or self.obey(line) == "quit":
                    return
        finally:
            if self.terminal:
                self.terminal.give_back()

    def collect(self, options):
        """Hear what has become of children: with WNOHANG of all of whom there is news, else of the
        next one."""
        while True:
            try:
                pid, wait_status = os.waitpid(-1, options | os.WUNTRACED | os.WCONTINUED)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for job in self.jobs.values():
                if job.pid == pid and job.state != ENDED:
                    job.state = (
                        RUNNING
                        if os.WIFCONTINUED(wait_status)
                        else STOPPED
                        if os.WIFSTOPPED(wait_status)
                        else ENDED
                    )
                    job.wait_status = wait_status
                    job.news = job.state != RUNNING
            if not options & os.WNOHANG:
                return

    def wait_for(self, number):
        """Wait until the job in the foreground has ended or stopped, and take the terminal back."""
        job = self.jobs[number]
        while job.state == RUNNING:
            self.collect(0)
        if self.terminal:
            self.terminal.take_back()
        if job.state == ENDED and os.WIFEXITED(job.wait_status):
            del self.jobs[number]  # it was waited for: that it is done is no news

    def tell_the_news(self):
        for number, job in sorted(self.jobs.items()):
            if not job.news:
                continue
            job.news = False
            if job.state == STOPPED:
                print(f"[{number}] stopped {job.command}")
                continue
            if os.WIFSIGNALED(job.wait_status):
                name = signal.Signals(os.WTERMSIG(job.wait_status)).name
                print(f"[{number}] killed by {name} {job.command}")
            else:
                print(f"[{number}] done {job.command}")
            del self.jobs[number]

    def obey(self, line):
        text = line.strip()
        background = text.endswith("&")
        words = text.removesuffix("&").split()
        if not words:
            return None
        self.collect(os.WNOHANG)
        if words[0] == "quit":
            return "quit"
        if words[0] == "jobs":
            for number, job in sorted(self.jobs.items()):
                if job.state != ENDED:
                    print(f"[{number}] {job.state} {job.command}")
                    job.news = False
        elif words[0] in ("fg", "bg"):
            self.carry_on(words)
        else:
            self.start(words, foreground=not background)
        return None

    def start(self, words, foreground):
        sys.stdout.flush()  # what waits in the buffer is copied by fork
        try:
            pid = os.fork()
        except OSError as error:
            print(f"sh1: fork: {error}", file=sys.stderr)
            return
        if pid == 0:
            self.become(words, foreground)
        # The child does both too: whoever comes first, it is done before the command runs, and
        # before we signal the group or wait.
        with contextlib.suppress(
            OSError
        ):  # it runs already, or is dead: then the child has done it
            os.setpgid(pid, pid)
        number = next(n for n in range(1, len(self.jobs) + 2) if n not in self.jobs)
        self.jobs[number] = Job(pid, " ".join(words))
        if foreground:
            if self.terminal:
                self.terminal.put_into_foreground(pid)
            self.wait_for(number)
        else:
            print(f"[{number}] {pid}")

    def carry_on(self, words):
        """fg %J and bg %J."""
        name = words[1].removeprefix("%") if len(words) > 1 else ""
        number = int(name) if name.isdecimal() else 0
        job = self.jobs.get(number)
        if job is None or job.state == ENDED:
            print(f"sh1: {words[0]}: no such job", file=sys.stderr)
            return
        # First the terminal, then the signal: it may read at once.
        if words[0] == "fg" and self.terminal:
            self.terminal.put_into_foreground(job.pid)
        job.state = RUNNING
        job.news = False
        os.killpg(job.pid, signal.SIGCONT)
        if words[0] == "fg":
            self.wait_for(number)

    def become(self, words, foreground):
        """Turn the child into a command; never return."""
        status = CANNOT_EXECUTE
        try:
            os.setpgid(0, 0)
            if self.terminal:
                if foreground:
                    self.terminal.put_into_foreground(os.getpid())
                set_dispositions(signal.SIG_DFL)  # ignored signals would stay ignored
            # Python ignores these two from its start.
            signal.signal(signal.SIGPIPE, signal.SIG_DFL)
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            os.execvp(words[0], words)
        except OSError as error:
            if isinstance(error, (FileNotFoundError, NotADirectoryError)):
                status = NOT_FOUND
            print(f"sh1: {words[0]}: {error.strerror}", file=sys.stderr, flush=True)
        finally:
            os._exit(status)  # whatever went wrong: there must not be a second shell

    def next_line(self):
        """A line; "" at the end of the file. Byte by byte: what is behind the line may be meant for
        the command. Collects children while nothing comes."""
        line = b""
        ready = select.poll()
        ready.register(STDIN, select.POLLIN)
        ready.register(self.wake_up, select.POLLIN)
        while not line.endswith(b"\n"):
            descriptors = [descriptor for descriptor, _ in ready.poll()]
            if self.wake_up in descriptors:
                os.read(self.wake_up, 4096)
                self.collect(os.WNOHANG)
            if STDIN in descriptors:
                try:
                    byte = os.read(STDIN, 1)
                except OSError:  # the terminal is gone
                    byte = b""
                if not byte:
                    break  # the last line may lack its newline
                line += byte
        return line.decode(errors="surrogateescape")


def set_dispositions(disposition):
    for number in OF_THE_TERMINAL:
        signal.signal(number, disposition)


if __name__ == "__main__":
    Shell().run()
