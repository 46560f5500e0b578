"""Your init of chapter 1, which has read unit files: it starts services, and collects the dead.

    python3 supervisor.py FOLDER

Unit files are read by unitfile.py, which is given, and so is what splits the lines that are typed. The
handout (README.md) says what is asked, and `make check LAB=supervisor SUBMISSION=...` how far you are.
"""

import os
import signal
import sys

from unitfile import read_folder

NOT_FOUND = 127


class Unit:
    def __init__(self, file):
        self.file = file
        self.name = file.name
        self.state = "inactive"
        self.main = None  # the pid of its main process

    def tell(self):
        """Each time that it gets into another state, and for `status`."""
        print(f"{self.name}: {self.state}", flush=True)

    def start(self):
        # Stages a and b: is it the turn of this one? Who comes before it, whom does it need, and what
        # if that one fails? It may have to wait, so this cannot be one function that runs through:
        # what is wanted of a unit, and what is so, are two things.
        self.main = os.fork()
        if self.main == 0:
            become(self.file.command)
        self.state = "active"  # stage e: is it?
        self.tell()


class Manager:
    def __init__(self, folder):
        self.units = {file.name: Unit(file) for file in read_folder(folder)}

    def run(self):
        for unit in self.units.values():
            if unit.file.at_boot:
                unit.start()
        # You wait for a line here, and do not notice who dies meanwhile. What has to be waited for all
        # at once: lines, deaths, times, what services say. signal.set_wakeup_fd(), select.select()
        for line in sys.stdin:
            self.collect_the_dead()
            text = line.strip()
            if text:
                print(f"{'ok' if self.obey(text.split()) else 'failed'}: {text}", flush=True)
        # Stage g: the end of the input is not the end.
        while True:
            signal.pause()

    def obey(self, words):
        """Whether it can be done; whether it *has been* done is another question, which may take 90
        seconds to be answered."""
        match words:
            case ["start", name] if name in self.units:
                self.units[name].start()
                return True
            case ["status", name] if name in self.units:
                self.units[name].tell()
                return True
        # Stages b and d: stop, restart. Stage g: shutdown.
        print(f"supervisor: {' '.join(words)}: not understood", file=sys.stderr, flush=True)
        return False

    def collect_the_dead(self):
        # Stage c: who has ended, and how? waitpid tells both. Does it start again, and when?
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for unit in self.units.values():
                if unit.main == pid:
                    unit.main, unit.state = None, "inactive"
                    unit.tell()


def become(command):
    """Turn the child into a service; never return."""
    try:
        # Stage a: a session of its own, an input of its own. Stage e: NOTIFY_FD. Stage f: a pipe to
        # write to. And whom does it get open descriptors from?
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr, flush=True)
    finally:
        os._exit(NOT_FOUND)  # whatever went wrong: there must not be a second manager


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: supervisor.py FOLDER")
    Manager(sys.argv[1]).run()
