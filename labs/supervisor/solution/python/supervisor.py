"""A service manager: starts units in order, looks after their processes, and stops them in order.

    python3 supervisor.py FOLDER

A unit has a state, which is what is so, and perhaps a job, which is what is wanted. A job waits until
those before it are done, and is over when the unit has got there (`Manager.done`). Everything that
happens, a line, a death, a time, changes a state or a job; `Manager.settle` then looks who can go on.
"""

import contextlib
import math
import os
import select
import signal
import sys
import time

from unitfile import read_folder

NOT_FOUND = 127
INPUT = 0
READY_FD = 3
INACTIVE, FAILED, ACTIVATING, ACTIVE, DEACTIVATING, AUTO_RESTART = (
    "inactive",
    "failed",
    "activating",
    "active",
    "deactivating",
    "auto-restart",
)
START, STOP, RESTART = "start", "stop", "restart"  # a restart becomes a start once all have stopped
CLEAN_SIGNALS = {signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE}


class Unit:
    """A unit, and its processes."""

    def __init__(self, file):
        self.file = file
        self.name = file.name
        self.state = INACTIVE
        self.job = None
        self.result = None  # why it has failed
        self.told_to_stop = False  # then it is not started again
        self.main = None  # the pid of its main process
        self.group = None  # of the main process that there was last
        self.others = set()  # who descends from them, as far as we have looked
        self.output = None  # pipes that its processes write to: our ends
        self.ready = None
        self.half_a_line = b""
        self.deadline = math.inf  # when the state has lasted too long, or the pause is over
        self.starts = 0
        self.starts_since = None

    @property
    def is_down(self):
        return self.state in (INACTIVE, FAILED)

    def comes_after(self, other):
        return other.name in self.file.after or self.name in other.file.before

    # What is told

    def tell(self):
        why = f" ({self.result})" if self.state == FAILED else ""
        print(f"{self.name}: {self.state}{why}", flush=True)

    def enter(self, state, seconds=math.inf):
        self.state = state
        self.deadline = time.monotonic() + seconds
        self.tell()

    def fail(self, result):
        """The first trouble is the one that counts."""
        self.result = self.result or result

    def read_output(self):
        """Print what its processes have written, a line at a time."""
        while self.output is not None:
            try:
                text = os.read(self.output, 65536)
            except BlockingIOError:
                return
            *lines, self.half_a_line = (self.half_a_line + text).split(b"\n")
            for line in lines:
                self.print_line(line)
            if not text:  # nobody has the other end any more
                self.output = closed(self.output)

    def hear_it_out(self):
        """The last word goes before the light: a line without an end is one, too."""
        self.read_output()
        if self.half_a_line:
            self.print_line(self.half_a_line)
            self.half_a_line = b""
        self.output = closed(self.output)

    def print_line(self, line):
        print(f"{self.name}[{self.group}]: {line.decode(errors='replace')}", flush=True)

    def is_ready(self):
        """Whether it has said so by now."""
        if self.ready is None:
            return False
        try:
            text = os.read(self.ready, 4096)
        except BlockingIOError:
            return False
        is_ready = b"READY=1" in text
        if is_ready or not text:
            self.ready = closed(self.ready)
        return is_ready

    # Its processes

    def spawn(self):
        self.output, output = os.pipe()  # both ends are closed by an exec
        ready = None
        if self.file.type == "notify":
            self.ready, ready = os.pipe()
        for end in (self.output, self.ready):
            if end is not None:
                os.set_blocking(end, False)  # nothing that it does not say holds us up
        pid = os.fork()
        if pid == 0:
            become(self, output, ready)
        self.main = self.group = pid
        self.others = set()
        for end in (output, ready):
            closed(end)

    def signal(self, number):
        if self.file.kill_main_only:
            if self.main is not None:
                os.kill(self.main, number)
            return
        self.find_the_others()
        # Just forked, it may not have a group of its own yet.
        if not self.signal_group(number) and self.main is not None:
            os.kill(self.main, number)
        for pid in self.others:
            with contextlib.suppress(OSError):
                if os.getpgid(pid) != self.group:
                    os.kill(pid, number)

    def signal_group(self, number):
        try:
            os.killpg(self.group, number)
        except (OSError, TypeError):  # nobody is in it, or there was none yet
            return False
        return True

    def has_processes(self):
        if self.file.kill_main_only or self.main is not None:
            return self.main is not None
        self.find_the_others()
        return self.signal_group(0) or bool(self.others)

    def find_the_others(self):
        """Forget those who are gone, and find the children of the others, wherever they are.

        They have to be found before their parents die: then they are our children, and nobody can tell
        whose they were.
        """
        self.others = {pid for pid in self.others if is_there(pid)}
        found = [pid for pid in (self.main, *self.others) if pid is not None]
        for pid in found:  # there may be more of them each time
            found += [child for child in children_of(pid) if child not in found]
        self.others |= {*found} - {self.main}


class Manager:
    def __init__(self, folder):
        self.units = {file.name: Unit(file) for file in read_folder(folder)}
        self.requests = []  # commands that wait for their answers: text, unit, START or STOP
        self.is_shutting_down = False
        self.was_told_to_end = False
        self.half_a_line = b""

    def run(self):
        bell = self.listen_to_signals()
        for unit in self.units.values():
            if unit.file.at_boot:
                self.want_started(unit)
        more_to_read = True
        while True:
            self.settle()
            if self.is_shutting_down and all(unit.is_down for unit in self.units.values()):
                return
            pipes = {unit.output: unit for unit in self.units.values() if unit.output is not None}
            pipes |= {unit.ready: unit for unit in self.units.values() if unit.ready is not None}
            places = [bell, *pipes, *([INPUT] if more_to_read else [])]
            ready, _, _ = select.select(places, [], [], self.seconds_left())
            if bell in ready:
                os.read(bell, 4096)
            for unit in {pipes[place] for place in ready if place in pipes}:
                self.listen_to(unit)
            self.collect_the_dead()
            for unit in self.units.values():
                if unit.deadline <= time.monotonic():
                    self.time_is_over(unit)
            if self.was_told_to_end and not self.is_shutting_down:
                self.shut_down()
            self.settle()
            if INPUT in ready:
                more_to_read = self.take_input()

    def listen_to_signals(self):
        """A descriptor that can be read from as soon as a signal has come: it writes a byte there."""
        bell, rope = os.pipe()
        os.set_blocking(bell, False)
        os.set_blocking(rope, False)  # full means that it has rung: nothing is lost
        signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self.told_to_end)
        return bell

    def told_to_end(self, number, frame):
        self.was_told_to_end = True

    def seconds_left(self):
        """Until the first deadline; None for ever."""
        first = min((unit.deadline for unit in self.units.values()), default=math.inf)
        return None if first == math.inf else max(0, first - time.monotonic())

    # Jobs

    def done(self, unit, went_well):
        """The job of a unit is over, and so are the commands that wait for it; who requires it fails
        with it, unless it runs already."""
        unit.job = None
        self.answer(unit, START, went_well)
        for other in self.units.values():
            if (
                not went_well
                and other.job == START
                and other.is_down
                and unit.name in other.file.requires
            ):
                self.done(other, False)

    def answer(self, unit, wanted, went_well):
        for request in [one for one in self.requests if one[1:] == (unit, wanted)]:
            self.requests.remove(request)
            print(f"{'ok' if went_well else 'failed'}: {request[0]}", flush=True)

    def settle(self):
        while any(self.goes_on(unit) for unit in self.units.values()):
            pass  # from the beginning: much may have changed

    def goes_on(self, unit):
        """Whether it has made a step."""
        others = [other for other in self.units.values() if other is not unit]
        if unit.job == START and (unit.is_down or unit.state == AUTO_RESTART):
            if any(other.job and unit.comes_after(other) for other in others):
                return False
            self.start(unit)
            return True
        if unit.job in (STOP, RESTART) and unit.state != DEACTIVATING:
            if any(other.job in (STOP, RESTART) and other.comes_after(unit) for other in others):
                return False
            unit.told_to_stop = True
            if unit.state == AUTO_RESTART:
                unit.result = None
            self.take_down(unit)
            return True
        return False

    def start(self, unit):
        unit.result = None
        unit.told_to_stop = False
        if not may_start_again(unit):
            unit.fail("start-limit-hit")
            unit.enter(FAILED)
            self.done(unit, False)
            return
        unit.spawn()
        if unit.file.type == "simple":
            unit.enter(ACTIVE)
            self.done(unit, True)
        else:
            unit.enter(ACTIVATING, unit.file.timeout_start)

    def take_down(self, unit):
        """Ask everybody to leave; who does not listen is killed when the time is over."""
        if unit.has_processes():
            unit.enter(DEACTIVATING, unit.file.timeout_stop)
            unit.signal(signal.SIGTERM)
        else:
            self.has_ended(unit)

    def has_ended(self, unit):
        """Nothing of it is left."""
        was_starting = unit.job == START and not unit.told_to_stop
        unit.hear_it_out()
        unit.ready = closed(unit.ready)
        unit.group, unit.others = None, set()  # the number may be somebody else's from now on
        if self.is_to_be_restarted(unit):
            unit.enter(AUTO_RESTART, unit.file.restart_sec)
        else:
            unit.enter(FAILED if unit.result else INACTIVE)
        if unit.job == RESTART:
            unit.job = START
        elif was_starting:
            self.done(unit, unit.result is None)
        elif unit.job == STOP:
            unit.job = None
        self.answer(unit, STOP, True)

    def is_to_be_restarted(self, unit):
        if unit.told_to_stop or self.is_shutting_down or unit.job == STOP:
            return False
        how = unit.file.restart
        return how == "always" or (how == "on-failure" and unit.result is not None)

    # Wanted

    def want_started(self, unit):
        """Whether all are there that it needs. They get jobs, too."""
        needed = {}
        if self.is_shutting_down or not self.find_needed(unit, needed):
            return False
        for one in needed.values():
            if one.job == STOP:
                one.job = None
                self.answer(one, STOP, False)
            if one.state != ACTIVE and one.job is None:
                one.job = START
        return True

    def find_needed(self, unit, needed):
        needed[unit.name] = unit
        for name in unit.file.requires:
            if name not in self.units:
                complain(f"{unit.name}: {name}: no such unit")
                return False
            if name not in needed and not self.find_needed(self.units[name], needed):
                return False
        for name in unit.file.wants:
            if name in self.units and name not in needed:
                self.find_needed(self.units[name], needed)
        return True

    def want_stopped(self, unit, job):
        for one in self.dependents(unit):
            if job == STOP and one.job == START:
                self.done(one, False)
            if not one.is_down:
                one.job = job
            elif one is unit and job == RESTART:
                one.job = START

    def dependents(self, unit):
        """The unit, and all that require it."""
        found = [unit]
        for one in found:
            others = self.units.values()
            found += [o for o in others if one.name in o.file.requires and o not in found]
        return found

    def shut_down(self):
        self.is_shutting_down = True
        for unit in self.units.values():
            if unit.job in (START, RESTART):
                self.done(unit, False)
            unit.job = None if unit.is_down else STOP

    # Commands

    def take_input(self):
        """Obey each line that there is; return whether there may be more."""
        text = os.read(INPUT, 65536)
        *lines, self.half_a_line = (self.half_a_line + text).split(b"\n")
        if not text:
            lines.append(self.half_a_line)  # the last line may lack its end
        for line in lines:
            self.obey(line.decode(errors="replace"))
            self.settle()
        return bool(text)

    def obey(self, text):
        went_well, wants = True, None
        words = text.split()
        unit = self.units.get(words[1]) if len(words) == 2 else None
        match words:
            case []:
                return
            case [_, name] if unit is None:
                complain(f"{name}: no such unit")
                went_well = False
            case ["status"]:
                for one in self.units.values():
                    one.tell()
            case ["status", _]:
                unit.tell()
            case ["start", _]:
                went_well = self.want_started(unit)
                wants = START if went_well and unit.job else None
            case ["stop", _]:
                self.want_stopped(unit, STOP)
                wants = STOP if unit.job else None
            case ["restart", _] if not self.is_shutting_down:
                self.want_stopped(unit, RESTART)
                wants = START
            case ["shutdown"]:
                self.shut_down()
            case _:
                complain(f"not understood: {text}")
                went_well = False
        if wants:
            self.requests.append((text, unit, wants))
        else:
            print(f"{'ok' if went_well else 'failed'}: {text}", flush=True)

    # What happens

    def listen_to(self, unit):
        unit.read_output()
        if unit.is_ready() and unit.state == ACTIVATING:
            unit.enter(ACTIVE)
            self.done(unit, True)

    def collect_the_dead(self):
        """Everybody who is dead by now: one SIGCHLD can stand for several deaths, and not all of them
        are services. What they have said before they died is heard first."""
        with contextlib.suppress(ChildProcessError):
            while (death := os.waitpid(-1, os.WNOHANG))[0]:
                for unit in self.units.values():
                    if unit.main == death[0]:
                        self.listen_to(unit)
                        self.lost_its_main(unit, death[1])
        for unit in self.units.values():
            if unit.state == DEACTIVATING and not unit.has_processes():
                self.has_ended(unit)

    def lost_its_main(self, unit, status):
        unit.main = None
        if not is_clean(status):
            unit.fail("exit-code" if os.WIFEXITED(status) else "signal")
        if unit.state == DEACTIVATING:
            return  # it is seen to when all the dead are collected
        if unit.state == ACTIVATING and unit.file.type == "notify":
            unit.fail("protocol")
        elif unit.state == ACTIVATING and unit.result is None and unit.file.remain_after_exit:
            unit.hear_it_out()
            unit.enter(ACTIVE)
            self.done(unit, True)
            return
        self.take_down(unit)

    def time_is_over(self, unit):
        unit.deadline = math.inf
        if unit.state == AUTO_RESTART:
            self.want_started(unit)
        elif unit.state == ACTIVATING:
            unit.fail("timeout")
            self.take_down(unit)
        elif unit.state == DEACTIVATING:
            unit.fail("timeout")
            unit.signal(signal.SIGKILL)


def may_start_again(unit):
    now = time.monotonic()
    since = unit.starts_since
    if since is None or now - since >= unit.file.start_limit_interval:
        unit.starts, unit.starts_since = 0, now
    unit.starts += 1
    return unit.starts <= unit.file.start_limit_burst


def is_clean(status):
    """As service managers see it: who dies of one of these signals has done as it was told."""
    if os.WIFEXITED(status):
        return os.WEXITSTATUS(status) == 0
    return os.WTERMSIG(status) in CLEAN_SIGNALS


def become(unit, output, ready):
    """Turn the child into a service: it leads a session, reads nothing, and writes to us.

    Never returns.
    """
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        if ready == READY_FD:
            os.set_inheritable(ready, True)
        elif ready is not None:
            os.dup2(ready, READY_FD)
        if ready is not None:
            os.environ["NOTIFY_FD"] = str(READY_FD)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python itself ignores these
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execvp(unit.file.command[0], unit.file.command)
    except OSError as error:
        os.write(2, f"{unit.file.command[0]}: {error.strerror}\n".encode())
    finally:
        os._exit(NOT_FOUND)  # whatever went wrong: there must not be a second manager


def is_there(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def children_of(pid):
    """See proc(5); a process with threads has such a file for each. None where nobody may look."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]
    return []


def closed(end):
    """None, for what was open before."""
    if end is not None:
        os.close(end)


def complain(words):
    print(f"supervisor: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: supervisor.py FOLDER")
    Manager(sys.argv[1]).run()
