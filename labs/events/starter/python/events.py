"""Starts jobs, and knows nothing of what becomes of them.

    python3 events.py FOLDER

Job files are read by jobfiles.py, which is given, and so is what splits the lines that are typed. The
handout (README.md) says what is asked, and `make check LAB=events SUBMISSION=...` how far you are.
"""

import os
import signal
import sys

from jobfiles import Match, read_folder


class Job:
    def __init__(self, file):
        self.file = file
        self.goal = "stop"
        self.state = "waiting"
        self.pid = None

    def start(self):
        # Part 2, states: starting, pre-start, spawned, running. In the first of them it emits an
        # event and waits until that is finished, in the second it waits for a process. So this
        # cannot be one function that runs through: each state ends when something happens.
        print(self.file.name, "starting", flush=True)
        self.pid = os.fork()
        if self.pid == 0:
            become(self.file.command)
        self.goal, self.state = "start", "running"
        print(self.file.name, "started", flush=True)

    def stop(self):
        # Part 2, states: stopping, killed, and waiting again. Part 4: who does not listen?
        if self.pid is None:
            return
        print(self.file.name, "stopping", flush=True)
        os.kill(self.pid, signal.SIGTERM)
        os.waitpid(self.pid, 0)  # and who takes a minute for it holds up everybody
        self.goal, self.state, self.pid = "stop", "waiting", None
        print(self.file.name, "stopped", flush=True)


class Init:
    def __init__(self, folder):
        self.jobs = {file.name: Job(file) for file in read_folder(folder)}

    def emit(self, name, variables):
        # Part 1, events: a queue of them, since a job that starts emits some, too. And conditions
        # of several, which have to remember what has come: Both, Either.
        for job in self.jobs.values():
            condition = job.file.start_on
            if isinstance(condition, Match) and condition.fits(name, variables):
                job.start()

    def run(self):
        self.emit("startup", {})
        # Part 3, processes: here you wait for a line, and jobs end meanwhile. You wait for two things
        # at once; for three, when somebody has to be killed. signal.set_wakeup_fd(), select.select()
        for line in sys.stdin:
            self.obey(line.split())
        # Part 5, the end: `shutdown`, and those who still run.

    def obey(self, words):
        match words:
            case ["emit", name, *variables]:
                pairs = [variable.partition("=") for variable in variables]
                self.emit(name, {key: value for key, _, value in pairs})
                print(name, "finished", flush=True)  # is it?
            case ["status"]:
                for job in self.jobs.values():
                    self.tell(job)
            case ["start" | "stop" | "status", name] if name not in self.jobs:
                print(f"events: {name}: unknown job", file=sys.stderr, flush=True)
            case ["status", name]:
                self.tell(self.jobs[name])
            case ["start", name]:
                self.jobs[name].start()
            case ["stop", name]:
                self.jobs[name].stop()

    def tell(self, job):
        process = f", process {job.pid}" if job.pid is not None else ""
        print(f"{job.file.name} {job.goal}/{job.state}{process}", flush=True)


def become(command):
    """Turn the child into a job's process; never return."""
    try:
        # Part 3, processes: a session of its own, an input of its own, and the environment.
        os.execvp(command[0], command)
    except OSError as error:
        print(f"events: {command[0]}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(127)  # whatever went wrong: there must not be a second init


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: events.py FOLDER")
    Init(sys.argv[1]).run()
