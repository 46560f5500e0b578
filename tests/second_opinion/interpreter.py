"""A second opinion: plays a scenario with sleeps, FIFOs and unshare(1), and says at which line it fails.

It shares no code with the judge, and does nothing in its way: no sockets, no pidfds, no proof of rest, no ideal init.
After each line it sleeps; what shall happen is waited for, what shall not happen is looked at after a longer sleep.
That is slow, and on a busy machine it can be wrong, but not where the judge is wrong.
"""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PAUSE = 0.1  # seconds after each line, for whatever it sets in motion
PATIENCE = 5.0  # seconds that something which shall happen may take
STILL = 0.4  # seconds in which what shall not happen could have happened
IDLE = 2.5  # seconds in which an idle init must not wake up once: some poll every second


class FailedError(Exception):
    """An expectation that was not met, or an actor that can't do what the script says."""


def failing_line(script: str, command: Sequence[str], init: Sequence[str], actor: Path, folder: Path,
                 terminal: bool = False) -> int | None:  # fmt: skip
    """The number of the script's line, from 1, at which `init` fails as PID 1 of a new namespace; None if it passes.

    `command` is what init shall start; empty for the actor `main`. `actor` is actor.c, compiled. `folder` is an
    empty one, for FIFOs and logs.
    """
    play = Play(folder)
    number = 1
    try:
        play.begin([*init, *(command or (str(actor), str(folder), "main"))], terminal)
        if not command:
            play.welcome("main")
        for number, line in enumerate(script.splitlines(), 1):  # noqa: B007 what it was is the answer
            if step := step_of(line):
                play.perform(step)
    except FailedError:
        return number
    finally:
        play.end()
    return None


def understands(script: str) -> bool:
    """Whether every line is one that is played here. How init starts is not: that would take the judge's own ways."""
    return all(
        any(re.fullmatch(pattern, step) for pattern, _ in STEPS)
        for step in map(step_of, script.splitlines())
        if step
    )


def step_of(line: str) -> str:
    return re.sub(r"(^|\s)#.*", "", line).strip()


class Play:
    """One play: who is on stage, by name, and what has been written to standard output."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pids: dict[str, int] = {}  # as the machine numbers them, not the namespace
        self.orders: dict[str, int] = {}
        self.seen: dict[
            str, int
        ] = {}  # how much of an actor's log belongs to signals that are over
        self.asked: set[str] = set()  # about whose signals the last expectations were
        self.told: set[str] = set()  # to end, or to stop
        self.waited: dict[str, int] = {}  # the signals that were pending then already, as bits
        self.minded: dict[str, set[int]] = {
            "main": set()
        }  # what an actor was told to do something about
        self.output = b""

    def begin(self, words: Sequence[str], terminal: bool) -> None:
        # It ends with us, however we do, and everybody with it.
        unshare = ["setpriv", "--pdeathsig", "KILL", "unshare"]
        unshare += ["--pid", "--fork", "--kill-child", "--mount-proc"]
        if os.geteuid() != 0:
            unshare += ["--user", "--map-root-user"]
        self.make("main")
        reader, writer = pty.openpty() if terminal else os.pipe()
        # Files of their own, so that they can be told from all others.
        others = [os.open(self.folder / name, os.O_CREAT | os.O_RDWR) for name in ("in", "err")]
        standard = [writer] * 3 if terminal else [others[0], writer, others[1]]
        self.given = [file_of(descriptor) for descriptor in standard]
        self.process = subprocess.Popen(
            # A session of its own: who signals its group shall not meet unshare.
            [*unshare, "--", "setsid", *(["--ctty"] if terminal else []), *words],
            stdin=standard[0],
            stdout=standard[1],
            stderr=standard[2],
            start_new_session=True,
        )
        for descriptor in (writer, *others):
            os.close(descriptor)
        self.listener = threading.Thread(target=self.listen, args=(reader,))
        self.listener.start()
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        until(lambda: bool(text(children)) or self.process.poll() is not None, "there is no init")
        self.pids["init"] = int((text(children) or "0").split()[0])
        self.namespace = link(f"/proc/{self.process.pid}/ns/pid_for_children")

    def listen(self, reader: int) -> None:
        with os.fdopen(reader, "rb", 0) as stream:
            try:
                while piece := stream.read(4096):
                    self.output += piece
            except OSError:
                pass  # EIO: nobody has the terminal open any more

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.listener.join()
        for orders in self.orders.values():
            os.close(orders)

    def perform(self, step: str) -> None:
        for pattern, act in STEPS:
            if match := re.fullmatch(pattern, step):
                if not (gets := " get" in pattern):
                    for who in self.asked:
                        self.seen[who] = len(self.log(who))
                        self.waited[who] = pending(self.pids[who])
                    self.asked = set()
                act(self, *match.groups())
                time.sleep(0 if gets else PAUSE)
                return
        raise ValueError(f"the second opinion does not know the step {step!r}")

    # Actors

    def make(self, name: str) -> None:
        os.mkfifo(self.folder / f"{name}.orders")
        self.orders[name] = os.open(self.folder / f"{name}.orders", os.O_RDWR)

    def welcome(self, name: str) -> None:
        until(lambda: "born" in self.log(name), f"{name} is not there")
        pid = self.log(name).split()[1]
        until(lambda: self.outside(pid) is not None, f"{name} is gone")
        self.pids[name] = self.outside(pid) or 0

    def outside(self, pid: str) -> int | None:
        """The machine's number of who is `pid` in the play's namespace."""
        for process in everybody():
            inside = link(f"/proc/{process}/ns/pid") == self.namespace
            if inside and status(process).get("NSpid", "").split()[-1:] == [pid]:
                return process
        return None

    def log(self, name: str) -> str:
        return text(self.folder / f"{name}.log")

    def order(self, name: str, what: str, *, waits: bool = True) -> None:
        if state(self.pids[name]) in ("", "Z"):
            raise FailedError(f"{name} has ended and cannot {what}")
        done = self.log(name).count("done")
        os.write(self.orders[name], f"{what}\n".encode())
        if waits:
            until(lambda: self.log(name).count("done") > done, f"{name} does not {what}")

    # Deeds

    def fork(self, who: str, whom: str) -> None:
        for parent, child in pairs(who, whom):
            self.make(child)
            self.minded[child] = set(self.minded[parent])
            self.order(parent, f"fork {child}")
            self.welcome(child)

    def leave(self, who: str, status: str) -> None:
        for name in names(who):
            self.told.add(name)
            self.order(name, f"exit {status}", waits=False)
        for name in names(who):
            until(lambda name=name: state(self.pids[name]) in ("", "Z"), f"{name} lives on")

    def die(self, who: str, number: int) -> None:
        """It may live on: PID 1 of a namespace does not get signals that it has no handler for."""
        for name in names(who):
            self.told.add(name)
            self.order(name, f"die {number}", waits=False)
        time.sleep(STILL)

    def reap(self, who: str, whom: str) -> None:
        for parent, child in pairs(who, whom):
            self.order(parent, f"reap {child}", waits=state(self.pids[child]) == "Z")

    def each(self, who: str, what: str) -> None:
        for name in names(who):
            self.order(name, what)

    def dispose(self, who: str, verb: str, signal_name: str) -> None:
        number = number_of(signal_name)
        for name in names(who):
            self.minded[name].add(number)
            self.order(name, f"{verb} {number}")

    def stop(self, who: str) -> None:
        for name in names(who):
            self.told.add(name)
            self.order(name, "stop", waits=False)
        time.sleep(STILL)

    def send(self, number: int, who: str) -> None:
        for name in names(who):
            if state(self.pids[name]) == "":
                raise FailedError(f"{name} is gone")
            os.kill(self.pids[name], number)

    def send_often(self, number: int, who: str, times: int) -> None:
        for _ in range(times):
            self.send(number, who)

    def catch_all(self, who: str) -> None:
        for number in EVERY:
            for name in names(who):
                self.minded[name].add(number)
                self.order(name, f"catch {number}")

    def send_all(self, who: str) -> None:
        for number in EVERY:
            self.send(number, who)
            time.sleep(PAUSE)

    # Expectations

    def gets_all(self, who: str) -> None:
        for actor in names(who):
            self.asked.add(actor)
            for number in EVERY:
                told = f"signal {number:02}"
                until(
                    lambda actor=actor, told=told: (
                        told in self.log(actor)[self.seen.get(actor, 0) :]
                    ),
                    f"{actor} gets no {number}",
                )

    def alive(self, who: str) -> None:
        time.sleep(STILL)
        if any(state(self.pids[name]) in ("", "Z") for name in names(who)):
            raise FailedError(f"{who} has ended")

    def in_state(self, who: str, letter: str) -> None:
        """As ps(1) has it, and for good; no letter: it is gone."""
        for name in names(who):
            until(lambda name=name: state(self.pids[name]) == letter, f"{name} is not {letter!r}")
        time.sleep(STILL)
        if any(state(self.pids[name]) != letter for name in names(who)):
            raise FailedError(f"{who} did not stay {letter!r}")

    def child_of(self, who: str, parent: str) -> None:
        for child, above in pairs(who, parent):
            wanted = str(self.pids[above])
            until(
                lambda child=child, wanted=wanted: status(self.pids[child]).get("PPid") == wanted,
                f"{child} is no child of {above}",
            )

    def gets(self, who: str, name: str, times: str | None) -> None:
        for actor in names(who):
            self.asked.add(actor)
            until(lambda: self.got(actor, name) >= int(times or 1), f"{actor} gets no {name}")  # noqa: B023
            if times is not None:
                time.sleep(STILL)
                if self.got(actor, name) != int(times):
                    raise FailedError(f"{actor} gets {name} more than {times} times")

    def got(self, actor: str, name: str) -> int:
        """How often: handlers that ran, or once if it ended or stopped without being told, or while it is pending."""
        number = number_of(name)
        count = self.log(actor)[self.seen.get(actor, 0) :].count(f"signal {number:02}")
        waits = pending(self.pids[actor]) & ~self.waited.get(actor, 0)
        acted = state(self.pids[actor]) in ("", "Z", "T") and actor not in self.told
        return count or int(
            bool(waits >> (number - 1) & 1) or (acted and number not in self.minded[actor])
        )

    def gets_nothing(self, who: str) -> None:
        time.sleep(STILL)
        for actor in names(who):
            self.asked.add(actor)
            if (
                "signal" in self.log(actor)[self.seen.get(actor, 0) :]
                or state(self.pids[actor]) == ""
            ):
                raise FailedError(f"{actor} got something")

    def ends(self, who: str, number: int) -> None:
        """`number` as subprocess has it: an exit status, or minus a signal."""
        for name in names(who):
            until(lambda name=name: state(self.pids[name]) in ("", "Z"), f"{name} lives on")
        if who == "init":
            try:
                ended = self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                raise FailedError("init lives on") from None
            if ended != number:
                raise FailedError(f"init ended with {ended}")

    def idle(self) -> None:
        time.sleep(STILL)
        before = self.switches()
        time.sleep(IDLE)
        if self.switches() != before or state(self.pids["init"]) != "S":
            raise FailedError("init is not idle")

    def switches(self) -> list[str]:
        facts = status(self.pids["init"])
        return [facts.get(key, "") for key in facts if key.endswith("ctxt_switches")]

    def clean(self, who: str, terminal: bool = False) -> None:
        time.sleep(STILL)
        pid = self.pids[who]
        facts = status(pid)
        if any(int(facts[key], 16) for key in ("SigBlk", "SigIgn")):
            raise FailedError(f"{who} has signals blocked or ignored")
        descriptors = {int(name) for name in os.listdir(f"/proc/{pid}/fd")}
        if {number for number in descriptors if number < 100} != {0, 1, 2}:
            raise FailedError(f"{who} has other descriptors than 0, 1 and 2")
        if [file_of(f"/proc/{pid}/fd/{number}") for number in range(3)] != self.given:
            raise FailedError(f"{who} has other standard files than init was given")
        _, _, group, _, controlling, foreground = fields(pid)[:6]
        if controlling != "0" and group != foreground:
            raise FailedError(f"{who} is in the background of the terminal")

    def says(self, words: str) -> None:
        until(lambda: words.encode() in self.output, f"{words!r} is not in the output")

    def nobody(self) -> None:
        """The end of a namespace's PID 1 is everybody's end: see pid_namespaces(7)."""

        def left() -> list[int]:
            return [
                process
                for process in everybody()
                if process != self.pids["init"]
                and link(f"/proc/{process}/ns/pid") == self.namespace
            ]

        until(lambda: self.process.poll() is not None or not left(), "somebody is left")


def file_of(file: int | str) -> tuple[int, int]:
    try:
        facts = os.stat(file)
    except OSError:
        return 0, 0
    return facts.st_dev, facts.st_ino


def until(holds: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise FailedError(otherwise)
        time.sleep(0.01)


def text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def everybody() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def status(pid: int) -> dict[str, str]:
    pairs = (line.partition(":") for line in text(Path(f"/proc/{pid}/status")).splitlines())
    return {key: value.strip() for key, _, value in pairs}


def pending(pid: int) -> int:
    """The signals that wait for a process or its first thread, as bits: proc(5)."""
    facts = status(pid)
    return int(facts.get("SigPnd", "0"), 16) | int(facts.get("ShdPnd", "0"), 16)


def fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the state on, see proc(5); none if it is gone."""
    return text(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()


def state(pid: int) -> str:
    return (fields(pid) or [""])[0]


def names(row: str) -> list[str]:
    match = re.fullmatch(r"([a-z_]+)(\d+)\.\.\1(\d+)", row)
    if match is None:
        return [row]
    return [f"{match[1]}{number}" for number in range(int(match[2]), int(match[3]) + 1)]


def pairs(row: str, other: str) -> list[tuple[str, str]]:
    left, right = names(row), names(other)
    if len(left) == 1:
        left *= len(right)
    return list(zip(left, right * (len(left) if len(right) == 1 else 1), strict=True))


def number_of(name: str) -> int:
    base, _, more = name.partition("+")
    return int(getattr(signal, base)) + int(more or 0)


EVERY = sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD})
WHO, SIGNAL = r"(\S+)", r"(SIG\S+)"
STEPS: list[tuple[str, Callable[..., None]]] = [
    (rf"{WHO} forks? {WHO}", Play.fork),
    (rf"{WHO} exits? (\d+)", Play.leave),
    (rf"{WHO} dies? by {SIGNAL}", lambda play, who, name: play.die(who, number_of(name))),
    (rf"{WHO} reaps? {WHO}", Play.reap),
    (rf"{WHO} (ignore|catch|block)(?:e?s)? {SIGNAL}", Play.dispose),
    (rf"{WHO} starts? a (session|group)", lambda play, who, what: play.each(who, what)),
    (rf"{WHO} stops?", Play.stop),
    (rf"{WHO} continues?", lambda play, who: play.send(signal.SIGCONT, who)),
    (rf"{WHO} says? (.*)", lambda play, who, words: play.each(who, f"say {words}")),
    (rf"send {SIGNAL} to {WHO}", lambda play, name, who: play.send(number_of(name), who)),
    (rf"send {SIGNAL} to {WHO} (\d+) times?",
     lambda play, name, who, times: play.send_often(number_of(name), who, int(times))),
    (rf"{WHO} catch(?:es)? every signal", Play.catch_all),
    (rf"send every signal to {WHO}", Play.send_all),
    (rf"expect {WHO} gets? every signal", Play.gets_all),
    (r"freeze init", lambda play: play.send(signal.SIGSTOP, "init")),
    (r"thaw init", lambda play: play.send(signal.SIGCONT, "init")),
    (rf"expect {WHO} (?:is|are) alive", Play.alive),
    (rf"expect {WHO} (?:is a zombie|are zombies)", lambda play, who: play.in_state(who, "Z")),
    (rf"expect {WHO} (?:is|are) reaped", lambda play, who: play.in_state(who, "")),
    (rf"expect {WHO} (?:is|are) stopped", lambda play, who: play.in_state(who, "T")),
    (rf"expect {WHO} (?:is a child|are children) of {WHO}", Play.child_of),
    (rf"expect {WHO} gets? nothing", Play.gets_nothing),
    (rf"expect {WHO} gets? {SIGNAL}(?: (\d+) times?)?", Play.gets),
    (rf"expect {WHO} exits? (\d+)", lambda play, who, status: play.ends(who, int(status))),
    (rf"expect {WHO} dies? by {SIGNAL}", lambda play, who, name: play.ends(who, -number_of(name))),
    (r"expect init is idle", Play.idle),
    (rf"expect {WHO} starts clean", Play.clean),
    (r"expect output (.*)", Play.says),
    (r"expect nobody is left", Play.nobody),
]  # fmt: skip
