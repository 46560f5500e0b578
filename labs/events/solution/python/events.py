"""Starts and stops jobs when events come, as upstart did.

    python3 events.py FOLDER

A job is always on its way to a goal, start or stop, and goes from state to state (`Job.enter`). In
two of them, starting and stopping, it emits an event and goes on when that has *finished*: when all
jobs that it has started are running, and all that it has stopped have stopped. Everything happens in
`Init.settle`, one event after the other; signals and lines only wake us up.
"""

import contextlib
import ctypes
import os
import select
import signal
import sys
import time
from collections import deque

from jobfiles import Both, Either, Match, read_folder

NOT_FOUND = 127
INPUT = 0
PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>; Python has no prctl() of its own
START, STOP = "start", "stop"
WAITING, STARTING, PRE_START, SPAWNED, RUNNING, STOPPING, KILLED = (
    "waiting",
    "starting",
    "pre-start",
    "spawned",
    "running",
    "stopping",
    "killed",
)


class Event:
    """`waits_for` is how many jobs are on their way because of it; `holds_up` goes on after it."""

    def __init__(self, name, variables, holds_up=None, is_typed=False):
        self.name = name
        self.variables = variables
        self.holds_up = holds_up
        self.is_typed = is_typed
        self.waits_for = 0


class Condition:
    """What a job waits for, with the events of it that have come already."""

    def __init__(self, tree):
        self.tree = tree
        self.came = {}  # by the Match that it fits

    def hears(self, event):
        """Whether it is fulfilled, now that this event has come; then it starts afresh."""
        before = len(self.came)
        if self.tree is not None:
            self._note(self.tree, event)
        return len(self.came) > before and self._holds(self.tree)

    def forget(self):
        """Start afresh; return the names and the variables of the events that had come."""
        came, self.came = self.came, {}
        names = " ".join(event.name for event in came.values())
        variables = {}
        for event in came.values():
            variables.update(event.variables)
        return names, variables

    def _note(self, tree, event):
        if not isinstance(tree, Match):
            self._note(tree.left, event)
            self._note(tree.right, event)
        elif tree not in self.came and tree.fits(event.name, event.variables):
            self.came[tree] = event

    def _holds(self, tree):
        match tree:
            case Both():
                return self._holds(tree.left) and self._holds(tree.right)
            case Either():
                return self._holds(tree.left) or self._holds(tree.right)
        return tree in self.came


class Job:
    def __init__(self, file, init):
        self.file = file
        self.init = init
        self.name = file.name
        self.goal = STOP
        self.state = WAITING
        self.start_on = Condition(file.start_on)
        self.stop_on = Condition(file.stop_on)
        self.variables = {}  # of the events that have started it: for its processes
        self.cause = None  # the event that waits until it has got where it goes
        self.pid = None  # of its process: of pre-start, or the main one
        self.first = None  # the pid that the main process had when we made it
        self.deadline = None  # when SIGKILL follows SIGTERM
        self.has_failed = False
        self.respawns = 0
        self.respawns_since = None

    # Where it goes

    def aim(self, goal, event=None):
        """Have it started or stopped; an event that asks for it then waits until that is done."""
        if goal == self.goal or (goal == START and self.init.last_event):
            return
        self.release()
        self.goal = goal
        if event is not None:
            self.cause = event
            event.waits_for += 1
        if goal == START and self.state == WAITING:
            self.has_failed = False
            self.respawns_since = None
            self.enter(STARTING)
        elif goal == STOP and self.state in (PRE_START, SPAWNED, RUNNING):
            self.enter(STOPPING)

    def release(self):
        if self.cause is not None:
            self.cause.waits_for -= 1
            self.cause = None

    def enter(self, state):
        self.state = state
        match state:
            case "starting":
                self.announce("starting", holds_up=self)
            case "pre-start":
                if self.file.pre_start:
                    self.pid = self.spawn(self.file.pre_start)
                else:
                    self.enter(SPAWNED)
            case "spawned":
                self.pid = self.first = self.spawn(self.file.command)
                if not self.file.expect:
                    self.enter(RUNNING)
            case "running":
                self.announce("started")
                self.release()
            case "stopping":
                self.announce("stopping", holds_up=self)
            case "killed":
                if self.pid is None:
                    self.has_ended()
                else:
                    self.signal(signal.SIGTERM)
                    self.deadline = time.monotonic() + self.file.kill_timeout

    def goes_on(self):
        """Its event has finished: it was held up in one of two states."""
        if self.state == STOPPING:
            self.enter(KILLED)
        elif self.goal == START:
            self.enter(PRE_START)
        else:
            self.enter(STOPPING)

    def has_ended(self):
        """Nothing of it is left: the way is over, or begins again."""
        self.deadline = None
        if self.goal == START and not self.init.last_event:
            self.enter(STARTING)
            return
        self.goal, self.state = STOP, WAITING
        self.announce("stopped")
        self.stop_on.forget()
        self.release()

    def announce(self, what, holds_up=None):
        print(self.name, what, flush=True)
        variables = {"JOB": self.name}
        if what in ("stopping", "stopped"):
            variables["RESULT"] = "failed" if self.has_failed else "ok"
        self.init.emit(Event(what, variables, holds_up))

    # Its processes

    def spawn(self, command):
        pid = os.fork()
        if pid == 0:
            become(command, {**self.variables, "UPSTART_JOB": self.name})
        return pid

    def signal(self, number):
        """To all of its group: what the main process has started is the job's, too."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(os.getpgid(self.pid), number)

    def lost_its_process(self, status):
        """`self.pid` has ended, and has been collected."""
        self.pid = None
        if self.state == PRE_START:
            if status == 0:
                self.enter(SPAWNED)
            else:
                self.fail()
        elif self.state == SPAWNED and status == 0:
            self.look_for_the_daemon()
        elif self.state in (SPAWNED, RUNNING):
            self.main_has_ended(status)
        elif self.state == KILLED:
            self.has_ended()

    def look_for_the_daemon(self):
        """Who has started it has left. Its orphan has become our child, and is the main process now.

        A daemon has left the session in which we started the first one, and leads no other. Who does
        not look like that may fork once more: it is followed until then.
        """
        orphans = self.init.orphans()
        if not orphans:
            self.main_has_ended(0)
            return
        if self.file.expect == "fork":
            likely = [pid for pid in orphans if os.getsid(pid) == self.first]
        else:
            likely = [pid for pid in orphans if os.getsid(pid) not in (pid, self.first)]
        self.pid = (likely or orphans)[0]
        if likely or self.file.expect == "fork":
            self.enter(RUNNING)

    def main_has_ended(self, status):
        if self.goal == START and self.file.respawn and self.may_respawn():
            self.enter(STOPPING)
        elif status == 0:
            self.goal = STOP
            self.enter(STOPPING)
        else:
            self.fail()

    def may_respawn(self):
        now = time.monotonic()
        if self.respawns_since is None or now - self.respawns_since >= self.file.interval:
            self.respawns, self.respawns_since = 0, now
        self.respawns += 1
        return self.respawns <= self.file.limit

    def fail(self):
        self.goal, self.has_failed = STOP, True
        self.enter(STOPPING)

    def __str__(self):
        process = f", process {self.pid}" if self.pid is not None else ""
        return f"{self.name} {self.goal}/{self.state}{process}"


class Init:
    def __init__(self, folder):
        self.jobs = {file.name: Job(file, self) for file in read_folder(folder)}
        self.pending = deque()  # events that nobody has heard of yet
        self.unfinished = []  # events that have been heard, and wait for jobs
        self.last_event = None  # shutdown, once our input is at its end: nobody starts any more
        self.half_a_line = b""

    def run(self):
        bell = ring_at_every_death()
        more_to_read = True
        self.emit(Event("startup", {}))
        while True:
            self.settle()
            if not more_to_read and all(job.state == WAITING for job in self.jobs.values()):
                return
            ready, _, _ = select.select(
                [bell, INPUT] if more_to_read else [bell], [], [], self.seconds_left()
            )
            if bell in ready:
                os.read(bell, 4096)
                self.collect_the_dead()
            self.kill_the_stubborn()
            self.settle()
            if INPUT in ready:
                more_to_read = self.take_input()

    # Events

    def emit(self, event):
        self.pending.append(event)

    def settle(self):
        """Go on until every event has finished, or waits for a job that waits for its process."""
        while self.pending or any(not event.waits_for for event in self.unfinished):
            if self.pending:
                event = self.pending.popleft()
                self.unfinished.append(event)
                self.tell_the_jobs(event)
            for event in [event for event in self.unfinished if not event.waits_for]:
                self.unfinished.remove(event)
                if event.is_typed:
                    print(event.name, "finished", flush=True)
                if event.holds_up:
                    event.holds_up.goes_on()
                if event is self.last_event:
                    for job in self.jobs.values():
                        job.aim(STOP)

    def tell_the_jobs(self, event):
        for job in self.jobs.values():
            if job.state != WAITING and job.stop_on.hears(event):
                job.stop_on.forget()
                job.aim(STOP, event)
            if job.start_on.hears(event):
                names, variables = job.start_on.forget()
                if job.goal == STOP:
                    job.variables = {**variables, "UPSTART_EVENTS": names}
                job.aim(START, event)

    # Commands

    def take_input(self):
        """Obey each line that there is; return whether there may be more."""
        text = os.read(INPUT, 65536)
        *lines, self.half_a_line = (self.half_a_line + text).split(b"\n")
        if not text:
            lines.append(self.half_a_line)  # the last line may lack its end
        for line in lines:
            self.obey(line.decode(errors="surrogateescape").split())
            self.settle()
        if not text:
            self.last_event = Event("shutdown", {})
            self.emit(self.last_event)
        return bool(text)

    def obey(self, words):
        match words:
            case []:
                pass
            case ["emit", name, *variables]:
                pairs = [variable.partition("=") for variable in variables]
                self.emit(Event(name, {key: value for key, _, value in pairs}, is_typed=True))
            case ["status"]:
                for job in self.jobs.values():
                    print(job, flush=True)
            case ["start" | "stop" | "status", name] if name not in self.jobs:
                complain(f"{name}: unknown job")
            case ["status", name]:
                print(self.jobs[name], flush=True)
            case ["start", name]:
                self.start(self.jobs[name])
            case ["stop", name] if self.jobs[name].goal == STOP:
                complain(f"{name}: it is stopped already")
            case ["stop", name]:
                self.jobs[name].aim(STOP)
            case _:
                complain(f"not understood: {' '.join(words)}")

    def start(self, job):
        if job.goal == START:
            complain(f"{job.name}: it is started already")
            return
        job.variables = {}
        job.aim(START)

    # Processes

    def collect_the_dead(self):
        """Collect everybody who is dead by now, and only then look what follows from it.

        One SIGCHLD can stand for many deaths, and who has died is not to be found among orphans.
        """
        deaths = []
        with contextlib.suppress(ChildProcessError):
            while (death := os.waitpid(-1, os.WNOHANG))[0]:
                deaths.append(death)
        for pid, status in deaths:
            for job in self.jobs.values():
                if job.pid == pid:
                    job.lost_its_process(status)
                    break

    def orphans(self):
        """Living children of ours who are no job's process yet, the youngest first: see proc(5)."""
        known = {job.pid for job in self.jobs.values()}
        orphans = []
        pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
        for pid in sorted(pids, reverse=True):
            with contextlib.suppress(OSError):
                with open(f"/proc/{pid}/stat", "rb") as file:
                    state, parent = file.read().rpartition(b")")[2].split()[:2]
                if int(parent) == os.getpid() and state not in b"ZX" and pid not in known:
                    orphans.append(pid)
        return orphans

    def seconds_left(self):
        """Until the first SIGKILL; None for ever."""
        deadlines = [job.deadline for job in self.jobs.values() if job.deadline is not None]
        return max(0, min(deadlines) - time.monotonic()) if deadlines else None

    def kill_the_stubborn(self):
        for job in self.jobs.values():
            if job.deadline is not None and job.deadline <= time.monotonic():
                job.deadline = None
                job.signal(signal.SIGKILL)


def ring_at_every_death():
    """A descriptor that can be read from as soon as a child has died: SIGCHLD writes a byte there."""
    bell, rope = os.pipe()
    os.set_blocking(bell, False)
    os.set_blocking(rope, False)  # full means that it has rung: nothing is lost
    signal.set_wakeup_fd(rope, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    return bell


def become_subreaper():
    """Orphans below us become our children: prctl(2)."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


def become(command, variables):
    """Turn the child into a job's process, in a session of its own; never return.

    What is typed is for us: its input is empty.
    """
    try:
        signal.set_wakeup_fd(-1)
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), INPUT)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python ignores these, and exec keeps that
        os.execvpe(command[0], command, {**os.environ, **variables})
    except (OSError, ValueError) as error:
        complain(f"{command[0]}: {error}")
    finally:
        os._exit(NOT_FOUND)  # whatever went wrong: there must not be a second init


def complain(words):
    print(f"events: {words}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: events.py FOLDER")
    become_subreaper()
    Init(sys.argv[1]).run()
