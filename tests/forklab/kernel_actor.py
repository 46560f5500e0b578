"""A real process that does what it is told: the kernel's side of test_model_vs_kernel.py.

    python kernel_actor.py SEAT MEETING_PLACE...

Each process of a play sits at one of the sockets that were open before the first one was started; SEAT is which. The
numbers of those sockets follow. A message is one command, a JSON list whose first item is its number; the answer is
[number, result], or [number, "ERRNO NAME"]. A process leaves when its socket closes.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import signal
import socket
import sys
from collections import Counter
from types import FrameType

PR_SET_CHILD_SUBREAPER = 36  # <sys/prctl.h>
caught: Counter[str] = Counter()


def note(number: int, frame: FrameType | None) -> None:
    caught[signal.Signals(number).name] += 1


def fork(seats: list[int], child_seat: int) -> int:
    pid = os.fork()
    if pid == 0:
        caught.clear()
        serve(child_seat, seats)
    return pid


def become_subreaper() -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")


def wait(pid: int, options: int) -> list[int]:
    reaped, status = os.waitpid(pid, options)
    return [reaped, os.waitstatus_to_exitcode(status) if reaped else 0]


def obey(verb: str, arguments: list[int], seats: list[int]) -> object:
    match verb:
        case "fork":
            return fork(seats, *arguments)
        case "exec":
            os.execv(sys.executable, command_line(arguments[0], seats))
        case "exit":
            os._exit(*arguments)
        case "wait":
            return wait(*arguments)
        case "kill":
            return os.kill(*arguments)
        case "killpg":
            return os.kill(-arguments[0], arguments[1])
        case "default":
            signal.signal(arguments[0], signal.SIG_DFL)
        case "ignore":
            signal.signal(arguments[0], signal.SIG_IGN)
        case "catch":
            signal.signal(arguments[0], note)
        case "block":
            signal.pthread_sigmask(signal.SIG_BLOCK, arguments)
        case "unblock":
            signal.pthread_sigmask(signal.SIG_UNBLOCK, arguments)
        case "accept":
            if signal.sigtimedwait(arguments, 0) is None:
                raise BlockingIOError(errno.EAGAIN, "nothing is pending")
        case "setpgid":
            return os.setpgid(*arguments)
        case "setsid":
            os.setsid()
        case "subreaper":
            become_subreaper()
        case "pid":
            return os.getpid()
        case "caught":
            return dict(caught)
        case _:
            raise AssertionError(verb)
    return None


def serve(seat: int, seats: list[int]) -> None:
    connection = socket.socket(fileno=os.dup(seats[seat]))
    while message := connection.recv(4096):
        number, verb, *arguments = json.loads(message)
        try:
            result = obey(verb, arguments, seats)
        except OSError as error:
            result = errno.errorcode[error.errno or 0]
        connection.send(json.dumps([number, result]).encode())
    os._exit(0)


def command_line(seat: int, seats: list[int]) -> list[str]:
    return [sys.executable, "-I", "-S", "-E", __file__, *map(str, [seat, *seats])]


if __name__ == "__main__":
    serve(int(sys.argv[1]), [int(number) for number in sys.argv[2:]])
