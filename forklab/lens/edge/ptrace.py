"""ptrace(2), as thin as can be: one function a request, errors as OSError.

`ProcessLookupError` means that the tracee was killed under our feet; its end will be reported by `wait`. All of it is
for the one thread that has seized the tracee.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from forklab.kernel.processors import this_processor
from forklab.kernel.signals import TRAP

_LIBC = ctypes.CDLL(None, use_errno=True)
_PTRACE = _LIBC.ptrace
_PTRACE.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
_PTRACE.restype = ctypes.c_long
_WAITPID = _LIBC.waitpid
_READ, _WRITE = _LIBC.process_vm_readv, _LIBC.process_vm_writev

# Requests, linux/ptrace.h.
_CONT, _SINGLESTEP, _SYSCALL = 7, 9, 24
_SETOPTIONS, _GETEVENTMSG, _GETSIGINFO, _SETSIGINFO = 0x4200, 0x4201, 0x4202, 0x4203
_GETREGSET, _SETREGSET = 0x4204, 0x4205
_SEIZE, _INTERRUPT, _LISTEN = 0x4206, 0x4207, 0x4208
_PEEKSIGINFO, _GETSIGMASK, _SETSIGMASK = 0x4209, 0x420A, 0x420B
_GET_SYSCALL_INFO = 0x420E
_NT_PRSTATUS, _NT_PRFPREG, _NT_X86_XSTATE = 1, 2, 0x202
_MOST_OF_VECTORS = 1 << 14  # bytes
_ABOUT_THE_AREA = slice(
    464, 576
)  # of an XSAVE area: which parts of it are in use, and for software

# What a stop is about: bits 16 and up of its wait status.
EVENT_FORK, EVENT_VFORK, EVENT_CLONE, EVENT_EXEC = 1, 2, 3, 4
EVENT_VFORK_DONE, EVENT_EXIT, EVENT_SECCOMP, EVENT_STOP = 5, 6, 7, 128
BIRTHS = frozenset({EVENT_FORK, EVENT_VFORK, EVENT_CLONE})
_WITHIN_A_CALL = BIRTHS | {EVENT_EXEC, EVENT_VFORK_DONE, EVENT_EXIT}
SYSCALL_STOP = 0x85  # SIGTRAP | 0x80, by PTRACE_O_TRACESYSGOOD

# TRACESYSGOOD, FORK, VFORK, CLONE, EXEC, VFORKDONE, SECCOMP, EXITKILL
_OPTIONS = 1 | 2 | 4 | 8 | 16 | 32 | 128 | 1 << 20
_TRACE_EXIT = 64
_WALL = 0x40000000
_SYSCALL_INFO = struct.Struct("<B3xIQQQ6Q")
_MESSAGE = struct.Struct("<Q")
_PEEK = struct.Struct("<QIi")  # from where in the queue, which queue, how many
SIGINFO_SIZE, _MOST_PEEKED = 128, 32
CODE_AT, SENDER_AT, OVERRUNS_AT = 8, 16, 20  # in siginfo_t, see sigaction(2)
AT_ENTRY, AT_EXIT, AT_SECCOMP = 1, 2, 3  # phases, see PTRACE_GET_SYSCALL_INFO


class CallStop(NamedTuple):
    """Where a tracee stands at a system call: its number, or what it returned; at the entry also the arguments.

    `counter` and `stack` are its registers of these names. `native`: the number is one of this processor's own calls,
    and not of those that it has for 32-bit programs.
    """

    number: int
    arguments: tuple[int, ...]
    counter: int
    stack: int
    native: bool


class FunctionStop(NamedTuple):
    """Where a tracee stands at the first instruction of a function: what it was called with, and where it returns to.

    `stack` is its stack pointer when it has returned.
    """

    arguments: tuple[int, ...]
    returns_to: int
    stack: int


class SignalInfo(NamedTuple):
    number: int
    code: int
    sender: int  # a pid, if the code says that somebody sent it
    value: int = 0  # what came with it by sigqueue(3), or the status of a child

    @property
    def timer(self) -> int:
        """Its number, if the code says that one of timer_create(2) sent it."""
        return self.sender


class _IoVector(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


# Each of these is needed at every stop: they are made once.
_buffer = ctypes.create_string_buffer(512)
_ADDRESS = ctypes.addressof(_buffer)
_status = ctypes.c_int()
_STATUS = ctypes.byref(_status)
_memory = ctypes.create_string_buffer(1 << 13)
_MEMORY = ctypes.addressof(_memory)
_local, _remote = _IoVector(), _IoVector()
_LOCAL, _REMOTE = ctypes.byref(_local), ctypes.byref(_remote)


def _ptrace(request: int, tid: int, address: int = 0, argument: int = 0) -> int:
    result: int = _PTRACE(request, tid, address, argument)
    if result == -1:
        _refuse(request, tid)
    return result


def _refuse(request: int, tid: int) -> None:
    """Unless -1 is what was asked for."""
    if error := ctypes.get_errno():
        raise OSError(error, f"ptrace({request:#x}, {tid}): {os.strerror(error)}")


def wait(tid: int = -1, *, block: bool = True) -> tuple[int, int] | None:
    """The next report of a tracee or child: its id and wait status. None: nothing yet, or a signal came to us.

    Not os.waitpid(): that goes on after a signal, but a lens that hears its alarm has to look up. Raises
    ChildProcessError.
    """
    found = _WAITPID(tid, _STATUS, _WALL | (0 if block else os.WNOHANG))
    if found > 0:
        return found, _status.value
    if found == 0 or ctypes.get_errno() == 4:  # EINTR
        return None
    raise ChildProcessError(f"nobody to wait for: {tid}")


def next_report(tid: int) -> tuple[int, int]:
    """That of this one, however often our alarm interrupts us."""
    while (report := wait(tid)) is None:
        pass
    return report


def has_ended(tid: int) -> bool:
    """Whether its end is there to be heard; nothing is taken away."""
    return os.waitid(os.P_PID, tid, os.WEXITED | os.WNOWAIT | os.WNOHANG | _WALL) is not None


def has_news(tid: int) -> bool:
    """Whether a stop or its end is there to be heard; nothing is taken away."""
    found = os.waitid(os.P_PID, tid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | os.WNOHANG | _WALL)
    return found is not None


def await_stop(tid: int) -> None:
    """It has been let go: until it has stopped, of which the report is there to be heard.

    Raises ProcessLookupError if it has ended instead; then that is there to be heard.
    """
    found = os.waitid(os.P_PID, tid, os.WEXITED | os.WSTOPPED | os.WNOWAIT | _WALL)
    if found is None or found.si_code not in (os.CLD_TRAPPED, os.CLD_STOPPED):
        raise ProcessLookupError(errno.ESRCH, f"{tid} has ended in a call of ours")
    status = found.si_status
    if status >> 8 == EVENT_EXIT:
        next_report(tid)
        resume(tid)
        raise ProcessLookupError(errno.ESRCH, f"{tid} is about to end in a call of ours")


def seize(tid: int, *, stops_at_end: bool = False) -> None:
    """Trace it and whatever it forks, which stops at its end if it does; all are killed when we end."""
    _ptrace(_SEIZE, tid, 0, _OPTIONS | (_TRACE_EXIT if stops_at_end else 0))


def stop_at_its_end(tid: int, stops: bool = True) -> None:
    """Whether it stops once more when it is about to end, while its memory is still there."""
    _ptrace(_SETOPTIONS, tid, 0, _OPTIONS | (_TRACE_EXIT if stops else 0))


def resume(tid: int, signal: int = 0, *, to_exit: bool = False) -> None:
    """Let it go on; `to_exit`: until the system call that it is in returns."""
    if _PTRACE(_SYSCALL if to_exit else _CONT, tid, 0, signal):
        _refuse(_CONT, tid)


def listen(tid: int) -> None:
    """Let it stay stopped, as job control wants it, but hear of SIGCONT."""
    _ptrace(_LISTEN, tid)


def interrupt(tid: int) -> None:
    _ptrace(_INTERRUPT, tid)


def event_message(tid: int) -> int:
    """Of a birth: the id of the newborn. Of an exec: the id that the thread had before."""
    _ptrace(_GETEVENTMSG, tid, 0, _ADDRESS)
    (message,) = _MESSAGE.unpack_from(_buffer)
    return int(message)


def call(tid: int) -> CallStop:
    """At a seccomp stop or at the exit of a call."""
    _ptrace(_GET_SYSCALL_INFO, tid, 96, _ADDRESS)
    kind, processor, counter, stack, value, *arguments = _SYSCALL_INFO.unpack_from(_buffer)
    if kind == AT_EXIT and value >= 1 << 63:
        value -= 1 << 64
    return CallStop(value, tuple(arguments), counter, stack, processor == _PROCESSOR.audit)


def phase(tid: int) -> int:
    """Where it stands: AT_ENTRY or AT_EXIT of a call, AT_SECCOMP, which is an entry too, or 0: nowhere of these."""
    _ptrace(_GET_SYSCALL_INFO, tid, 96, _ADDRESS)
    return _buffer.raw[0]


def signal_info(tid: int) -> SignalInfo:
    _ptrace(_GETSIGINFO, tid, 0, _ADDRESS)
    return info_in(_buffer.raw)


def is_within_a_call(tid: int) -> bool:
    """Whether it stands at something that has happened in a call, such as a birth: then that is not over."""
    info = signal_info(tid)
    return info.number == TRAP and info.code >> 8 in _WITHIN_A_CALL


def fault_address(tid: int) -> int:
    """At the delivery of a SIGSEGV: which address was used."""
    _ptrace(_GETSIGINFO, tid, 0, _ADDRESS)
    return int.from_bytes(_buffer.raw[SENDER_AT : SENDER_AT + 8], "little")


def info_in(content: bytes) -> SignalInfo:
    """What a siginfo_t says."""
    number, _, code, _, sender, _, value = struct.unpack_from("<6iq", content)
    return SignalInfo(number, code, sender, value)


def pending_signals_of_stopped(tid: int) -> list[SignalInfo]:
    """The same of one that job control has stopped, to which we listen. Raises OSError if it has gone on meanwhile."""
    interrupt(tid)
    number, status = next_report(tid)
    if status >> 16 != EVENT_STOP:
        raise OSError(errno.ESRCH, os.strerror(errno.ESRCH))
    try:
        return pending_signals(number)
    finally:
        listen(tid)


def pending_signals(tid: int) -> list[SignalInfo]:
    """Those that wait for this thread, then those for its process, in the order of their arrival; nothing is taken.

    The kernel tells fewer than there are when a signal comes for us meanwhile, so only an empty answer is the last.
    """
    found: list[SignalInfo] = []
    infos = ctypes.create_string_buffer(SIGINFO_SIZE * _MOST_PEEKED)
    for of_process in (0, 1):
        told, count = 0, -1
        while count != 0:
            question = ctypes.create_string_buffer(_PEEK.pack(told, of_process, _MOST_PEEKED))
            count = _ptrace(_PEEKSIGINFO, tid, ctypes.addressof(question), ctypes.addressof(infos))
            told += count
            found += [info_in(infos.raw[place * SIGINFO_SIZE :]) for place in range(count)]
    return found


def signal_mask(tid: int) -> int:
    """Which signals are blocked for this thread."""
    _ptrace(_GETSIGMASK, tid, 8, _ADDRESS)
    (mask,) = _MESSAGE.unpack_from(_buffer)
    return int(mask)


def set_signal_mask(tid: int, mask: int) -> None:
    """These are blocked for this thread from now on, and no others."""
    struct.pack_into("<Q", _buffer, 0, mask)
    _ptrace(_SETSIGMASK, tid, 8, _ADDRESS)


def disguise_signal(tid: int, code: int) -> None:
    """Change the code of the signal that is about to be delivered, and take our pid out of it."""
    _ptrace(_GETSIGINFO, tid, 0, _ADDRESS)
    struct.pack_into("<i", _buffer, CODE_AT, code)
    struct.pack_into("<i", _buffer, SENDER_AT, 0)
    _ptrace(_SETSIGINFO, tid, 0, _ADDRESS)


def set_overruns(tid: int, count: int) -> None:
    """Of the signal of a timer that is about to be delivered: how often more that has rung."""
    _ptrace(_GETSIGINFO, tid, 0, _ADDRESS)
    struct.pack_into("<i", _buffer, OVERRUNS_AT, count)
    _ptrace(_SETSIGINFO, tid, 0, _ADDRESS)


def single_step(tid: int) -> None:
    """Let it execute one instruction."""
    _ptrace(_SINGLESTEP, tid)


def registers(tid: int) -> bytes:
    """The general ones: where it stands, and what it computes with."""
    _registers(tid)
    return ctypes.string_at(_ADDRESS, 8 * _PROCESSOR.words)


def counter_and_stack(tid: int) -> tuple[int, int]:
    """These two registers."""
    _registers(tid)
    return _word(_PROCESSOR.program_counter), _word(_PROCESSOR.stack_pointer)


def function(tid: int) -> FunctionStop:
    """At the first instruction of one. Raises OSError where there is no stack."""
    _registers(tid)
    arguments = tuple(map(_word, _PROCESSOR.arguments[:3]))
    stack = _word(_PROCESSOR.stack_pointer)
    if _PROCESSOR.link is not None:
        return FunctionStop(arguments, _word(_PROCESSOR.link), stack)
    return FunctionStop(arguments, read_word(tid, stack), stack + 8)


def result(tid: int) -> int:
    """What a call or a function has returned, when it has: its register."""
    _registers(tid)
    return _word(_PROCESSOR.result)


def go_to(tid: int, address: int) -> None:
    """It goes on there."""
    change(tid, {_PROCESSOR.program_counter: address})


def next_call(tid: int) -> int | None:
    """The number of the call that the next instruction makes, -1 for one of 32-bit programs; None if it makes none."""
    _registers(tid)
    counter, number = _word(_PROCESSOR.program_counter), _word(_PROCESSOR.number_in)
    instruction = read_memory(tid, counter, _PROCESSOR.call_width)
    if instruction not in _PROCESSOR.calls_by:
        return None
    return number if instruction == _PROCESSOR.calls_by[0] else -1


def vectors(tid: int) -> bytes:
    """The registers of floating point and of vectors."""
    found = b""
    for kind, leave_out in ((_NT_PRFPREG, slice(0)), (_NT_X86_XSTATE, _ABOUT_THE_AREA)):
        space = ctypes.create_string_buffer(_MOST_OF_VECTORS)
        vector = _IoVector(ctypes.addressof(space), len(space))
        try:
            _ptrace(_GETREGSET, tid, kind, ctypes.addressof(vector))
        except OSError:  # another kind of processor
            continue
        content = bytearray(space.raw[: vector.length])
        del content[leave_out]
        found += content
    return found


def all_vectors(tid: int) -> bytes:
    """What `set_vectors` takes; empty on another kind of processor than x86-64."""
    space = ctypes.create_string_buffer(_MOST_OF_VECTORS)
    vector = _IoVector(ctypes.addressof(space), len(space))
    try:
        _ptrace(_GETREGSET, tid, _NT_X86_XSTATE, ctypes.addressof(vector))
    except OSError:
        return b""
    return space.raw[: vector.length]


def set_vectors(tid: int, content: bytes) -> None:
    if content:
        space = ctypes.create_string_buffer(content, len(content))
        vector = _IoVector(ctypes.addressof(space), len(content))
        _ptrace(_SETREGSET, tid, _NT_X86_XSTATE, ctypes.addressof(vector))


def _registers(tid: int) -> _IoVector:
    vector = _IoVector(_ADDRESS, 8 * _PROCESSOR.words)
    _ptrace(_GETREGSET, tid, _NT_PRSTATUS, ctypes.addressof(vector))
    return vector


def _word(register: int) -> int:
    """Of those that were read last, by its place."""
    (value,) = _MESSAGE.unpack_from(_buffer, 8 * register)
    return int(value)


def change(tid: int, changes: Mapping[int, int]) -> None:
    """Registers, by their places in `user_regs_struct`."""
    vector = _registers(tid)
    for register, value in changes.items():
        struct.pack_into("<Q", _buffer, 8 * register, value & (1 << 64) - 1)
    _ptrace(_SETREGSET, tid, _NT_PRSTATUS, ctypes.addressof(vector))


def set_argument(tid: int, place: int, value: int) -> None:
    change(tid, {_PROCESSOR.arguments[place]: value})


def place_arguments(tid: int, arguments: Sequence[int]) -> None:
    """All of a call that it is about to make."""
    change(tid, _placed(arguments))


def set_result(tid: int, value: int) -> None:
    """At the exit of a call: what it shall have returned."""
    change(tid, {_PROCESSOR.result: value})


def skip_call(tid: int, result: int) -> None:
    """At the entry of a call: don't make it; it shall have returned `result`."""
    _make_no_call(tid, {_PROCESSOR.result: result})


def rewind_call(tid: int) -> None:
    """At the entry of a call: don't make it; go back to just before it, so that pending signals are delivered first."""
    stand_before_call(tid, call(tid).number)


def stand_before_call(tid: int, number: int) -> None:
    """Where its registers say that it is at the entry of this call: it shall make that again when it goes on."""
    _registers(tid)
    counter = _word(_PROCESSOR.program_counter)
    changes = {_PROCESSOR.program_counter: counter - _PROCESSOR.call_width}
    if _PROCESSOR.made_by is not None:
        changes[_PROCESSOR.made_by] = number
    _make_no_call(tid, changes)


def call_again(tid: int, name: str, first_argument: int) -> None:
    """At the exit of the call of this name: go back to just before it."""
    _registers(tid)
    counter = _word(_PROCESSOR.program_counter)
    number = _PROCESSOR.calls[name]
    changes = {
        _PROCESSOR.program_counter: counter - _PROCESSOR.call_width,
        _PROCESSOR.result: first_argument if _PROCESSOR.made_by is None else number,
    }
    change(tid, changes)


def set_registers(tid: int, content: bytes) -> None:
    """As `registers` has read them."""
    vector = _IoVector(_ADDRESS, len(content))
    _buffer[: len(content)] = content  # type: ignore[call-overload]
    _ptrace(_SETREGSET, tid, _NT_PRSTATUS, ctypes.addressof(vector))


def call_another(tid: int, name: str, arguments: Sequence[int]) -> None:
    """At the entry of a call: make this one instead."""
    _make_instead(tid, _PROCESSOR.calls[name], _placed(arguments))


def make_next(tid: int, address: int, name: str, arguments: Sequence[int]) -> None:
    """Not within a call, or at the entry of one, which it does not make: it makes this one by an instruction there."""
    there = {_PROCESSOR.program_counter: address, _PROCESSOR.number_in: _PROCESSOR.calls[name]}
    _make_no_call(tid, _placed(arguments) | there)


def _placed(arguments: Sequence[int]) -> dict[int, int]:
    """Which registers hold the arguments of a call."""
    return dict(zip(_PROCESSOR.arguments, arguments, strict=False))


def _make_no_call(tid: int, changes: Mapping[int, int]) -> None:
    """At the entry of a call, with other changes of registers."""
    _make_instead(tid, -1, changes)


def _make_instead(tid: int, wanted: int, changes: Mapping[int, int]) -> None:
    if _PROCESSOR.wanted_call is not None:
        change(tid, {**changes, _PROCESSOR.wanted_call: wanted})
        return
    change(tid, changes)
    assert _PROCESSOR.wanted_call_set is not None
    number = ctypes.c_int(wanted)
    vector = _IoVector(ctypes.addressof(number), 4)
    _ptrace(_SETREGSET, tid, _PROCESSOR.wanted_call_set, ctypes.addressof(vector))


def read_memory(tid: int, address: int, length: int) -> bytes:
    """What is there, maybe less than `length`. Raises OSError where nothing is, or nothing that it may read itself."""
    _check(address, length)
    if length <= len(_memory):
        return ctypes.string_at(_MEMORY, _transfer(_READ, tid, address, _MEMORY, length))
    content = ctypes.create_string_buffer(length)
    size = _transfer(_READ, tid, address, ctypes.addressof(content), length)
    return content.raw[:size]


def can_be_read(tid: int) -> bool:
    """Whether we may read the memory of a thread that is stopped.

    Without CAP_SYS_PTRACE that is refused for a program that its user may run but not read, for who has become another
    user, and for who has asked for it: see "dumpable" in ptrace(2).
    """
    try:
        read_memory(tid, call(tid).stack, 1)
    except PermissionError:
        return False
    return True


def peek_memory(tid: int, address: int, length: int) -> bytes:
    """The same, also where it may not read. Raises OSError."""
    _check(address, length)
    memory = os.open(f"/proc/{tid}/mem", os.O_RDONLY)
    try:
        return os.pread(memory, length, address)
    finally:
        os.close(memory)


def read_word(tid: int, address: int) -> int:
    """Eight bytes, as a number: a pointer, or a set of signals. Raises OSError where nothing is."""
    return int.from_bytes(read_memory(tid, address, 8), "little")


def write_memory(tid: int, address: int, content: bytes) -> None:
    """Raises OSError where nothing is, or nothing that it may write to itself."""
    _check(address, len(content))
    ours = ctypes.create_string_buffer(content, len(content))
    written = _transfer(_WRITE, tid, address, ctypes.addressof(ours), len(content))
    if written < len(content):
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))


def _transfer(call: Callable[..., int], tid: int, address: int, ours: int, length: int) -> int:
    """process_vm_readv(2) or process_vm_writev(2): they mind who may read and write what, as the kernel does."""
    _local.base, _local.length = ours, length
    _remote.base, _remote.length = address, length
    size = call(tid, _LOCAL, 1, _REMOTE, 1, 0)
    if size < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return size


def patch_memory(tid: int, address: int, content: bytes) -> None:
    """The same, also where it may only read. Raises OSError."""
    _check(address, len(content))
    memory = os.open(f"/proc/{tid}/mem", os.O_WRONLY)
    try:
        os.pwrite(memory, content, address)
    finally:
        os.close(memory)


_PROCESSOR = this_processor()


def _check(address: int, length: int) -> None:
    """Programs ask for nonsense too: what no process can have in its half of all addresses, the kernel answers so."""
    if address >= 1 << 63 or not 0 <= length < 1 << 31:
        raise OSError(errno.EFAULT, os.strerror(errno.EFAULT))
