"""What differs between processors: numbers of system calls, registers, how a call is skipped.

x86-64 and aarch64. The numbers are those of the kernel's asm/unistd.h; a call that a processor does not have (aarch64
has no fork, pause or alarm: libc makes them of others) is simply missing.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Arch:
    """One kind of processor. Registers are places in `user_regs_struct`, in words of 8 bytes.

    `audit` is its AUDIT_ARCH_ number (linux/audit.h); `call_width` is the length of the instruction that calls the
    kernel. `result` is where the kernel puts what a call returns.
    """

    name: str
    audit: int
    calls: Mapping[str, int]
    arguments: tuple[int, ...]
    result: int
    program_counter: int
    call_width: int
    words: int


def _numbers(table: str) -> dict[str, int]:
    words = table.split()
    return dict(zip(words[::2], map(int, words[1::2]), strict=True))


X86_64 = Arch(
    "x86_64",
    0xC000003E,
    _numbers("""
        read 0 write 1 open 2 close 3 poll 7 mmap 9 rt_sigaction 13 rt_sigprocmask 14 pwrite64 18
        readv 19 writev 20 pipe 22 select 23 shmget 29 dup2 33 pause 34 nanosleep 35 getitimer 36
        alarm 37 setitimer 38 sendfile 40 socket 41 connect 42 accept 43 recvfrom 45 recvmsg 47
        socketpair 53 clone 56 fork 57 vfork 58 execve 59 exit 60 wait4 61 kill 62 flock 73 creat 85
        gettimeofday 96 ptrace 101 setpgid 109 getppid 110 setsid 112 rt_sigtimedwait 128
        rt_sigqueueinfo 129 rt_sigsuspend 130 tkill 200 time 201 futex 202 restart_syscall 219
        timer_create 222 timer_settime 223 timer_gettime 224 timer_delete 226 clock_gettime 228
        clock_nanosleep 230 exit_group 231 epoll_wait 232 tgkill 234 waitid 247 openat 257
        pselect6 270 ppoll 271 splice 275 epoll_pwait 281 timerfd_settime 286 accept4 288 dup3 292
        pipe2 293 rt_tgsigqueueinfo 297 seccomp 317 execveat 322 pidfd_send_signal 424 clone3 435
        close_range 436 epoll_pwait2 441
    """),
    arguments=(14, 13, 12, 7, 9, 8),  # rdi rsi rdx r10 r8 r9
    result=10,
    program_counter=16,
    call_width=2,
    words=27,
)

AARCH64 = Arch(
    "aarch64",
    0xC00000B7,
    _numbers("""
        epoll_pwait 22 dup3 24 flock 32 openat 56 close 57 pipe2 59 read 63 write 64 readv 65
        writev 66 pwrite64 68 sendfile 71 pselect6 72 ppoll 73 splice 76 timerfd_settime 86 exit 93
        exit_group 94 waitid 95 futex 98 nanosleep 101 getitimer 102 setitimer 103 timer_create 107
        timer_gettime 108 timer_settime 110 timer_delete 111 clock_gettime 113 clock_nanosleep 115
        ptrace 117 restart_syscall 128 kill 129 tkill 130 tgkill 131 rt_sigsuspend 133
        rt_sigaction 134 rt_sigprocmask 135 rt_sigtimedwait 137 rt_sigqueueinfo 138 setpgid 154
        setsid 157 gettimeofday 169 getppid 173 shmget 194 socket 198 socketpair 199 accept 202
        connect 203 recvfrom 207 recvmsg 212 clone 220 execve 221 mmap 222 rt_tgsigqueueinfo 240
        accept4 242 wait4 260 seccomp 277 execveat 281 pidfd_send_signal 424 clone3 435
        close_range 436 epoll_pwait2 441
    """),
    arguments=(0, 1, 2, 3, 4, 5),
    result=0,
    program_counter=32,
    call_width=4,
    words=34,
)

_KNOWN = {arch.name: arch for arch in (X86_64, AARCH64)}


def this_arch() -> Arch:
    """Of the machine that we run on. Raises OSError where the lens knows nothing of it."""
    machine = platform.machine()
    if machine not in _KNOWN:
        raise OSError(f"the lens knows {' and '.join(_KNOWN)}, but this machine is {machine}")
    return _KNOWN[machine]
