"""A vDSO of our own for x86-64: the three functions by which libc reads clocks, reading ours instead. See vdso(7).

It is laid over the kernel's own in a program's memory (`vdso.py`), where whoever follows AT_SYSINFO_EHDR finds it: an
ELF file of less than a page, with the same names. The same bytes on every machine; nothing here touches a process.

Its data is for the tracer to write; the program can only read it. What the program itself has to count with stands
elsewhere, at the address `counter`: how many more readings are `left`. Each takes one of them, and shows the clock's
end less `step` nanoseconds for each that is left then. Where none is left, for clocks that are not ours (of processor
time, unknown ones), and while `asked` is not 0, the real system call is made, at which the program stops.
"""

from __future__ import annotations

import functools
import struct
from typing import NamedTuple

# What stands in its data: asked, what both kinds of clocks show at the end, step, counter.
DATA = struct.Struct("<5q")

_HEADER = struct.Struct("<4s5B7xHHIQQQIHHHHHH")
_SEGMENT = struct.Struct("<IIQQQQQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_LOAD, _DYNAMIC, _UNWIND = 1, 2, 0x6474E550  # kinds of segments
_HASH, _STRTAB, _SYMTAB, _STRSZ, _SYMENT, _SONAME = 4, 5, 6, 10, 11, 14  # kinds of dynamic entries
_FUNCTIONS = ("clock_gettime", "gettimeofday", "time")

# The code moves no stack pointer and saves no register, and any number of threads may be in it at once.
LISTING = """\
clock_gettime:                          # rdi: which clock, rsi: struct timespec *
41 b8 e4 00 00 00               mov $228, %r8d
83 ff 0c                        cmp $12, %edi
73 22                           jae ask
4c 8b 0d c6 00 00 00            mov uptime(%rip), %r9
b8 d2 00 00 00                  mov $0b000011010010, %eax   # clocks 1 4 6 7
0f a3 f8                        bt %edi, %eax
72 3d                           jc look
4c 8b 0d ad 00 00 00            mov wall(%rip), %r9
b8 21 08 00 00                  mov $0b100000100001, %eax   # clocks 0 5 11
0f a3 f8                        bt %edi, %eax
72 2c                           jc look
ask:                                    # r8: the number of the system call
44 89 c0                        mov %r8d, %eax
0f 05                           syscall
c3                              ret
gettimeofday:                           # rdi: struct timeval *, rsi: struct timezone *
41 b8 60 00 00 00               mov $96, %r8d
48 85 ff                        test %rdi, %rdi
74 ef                           jz ask
48 85 f6                        test %rsi, %rsi
75 ea                           jnz ask
4c 8b 0d 86 00 00 00            mov wall(%rip), %r9
eb 0d                           jmp look
time:                                   # rdi: time_t *, or NULL
41 b8 c9 00 00 00               mov $201, %r8d
4c 8b 0d 77 00 00 00            mov wall(%rip), %r9
look:                                   # r9: what the clock shows when none is left
48 83 3d 67 00 00 00 00         cmpq $0, asked(%rip)
75 ca                           jne ask
48 c7 c1 ff ff ff ff            mov $-1, %rcx
48 8b 15 77 00 00 00            mov counter(%rip), %rdx
f0 48 0f c1 0a                  lock xadd %rcx, (%rdx)
48 ff c9                        dec %rcx
78 b2                           js ask
48 0f af 0d 5d 00 00 00         imul step(%rip), %rcx
4c 89 c8                        mov %r9, %rax
48 29 c8                        sub %rcx, %rax
31 d2                           xor %edx, %edx
b9 00 ca 9a 3b                  mov $1000000000, %ecx
48 f7 f1                        div %rcx                    # rax: seconds, rdx: nanoseconds
41 81 f8 c9 00 00 00            cmp $201, %r8d
74 23                           je as_time
72 0a                           jb as_timeval
48 89 06                        mov %rax, (%rsi)
48 89 56 08                     mov %rdx, 8(%rsi)
31 c0                           xor %eax, %eax
c3                              ret
as_timeval:
48 89 07                        mov %rax, (%rdi)
48 89 d0                        mov %rdx, %rax
31 d2                           xor %edx, %edx
b9 e8 03 00 00                  mov $1000, %ecx
48 f7 f1                        div %rcx
48 89 47 08                     mov %rax, 8(%rdi)
31 c0                           xor %eax, %eax
c3                              ret
as_time:
48 85 ff                        test %rdi, %rdi
74 03                           jz done
48 89 07                        mov %rax, (%rdi)
done:
c3                              ret
asked:
00 00 00 00 00 00 00 00         .quad 0
wall:
00 00 00 00 00 00 00 00         .quad 0
uptime:
00 00 00 00 00 00 00 00         .quad 0
step:
00 00 00 00 00 00 00 00         .quad 0
counter:
00 00 00 00 00 00 00 00         .quad 0
"""


class Image(NamedTuple):
    """The file, and where in it the data stands."""

    content: bytes
    data: int


@functools.cache
def image() -> Image:
    """See elf(5). Without section headers and without versions of symbols: nobody who reads a vDSO asks for them."""
    code, labels = _assembled()
    strings = b"\0linux-vdso.so.1\0" + b"".join(f"__vdso_{n}\0".encode() for n in _FUNCTIONS)
    count = 1 + len(_FUNCTIONS)
    sizes = {
        "hash": 4 * (3 + count),
        "symbols": _SYMBOL.size * count,
        "strings": len(strings),
        "dynamic": 16 * 7,
        "code": len(code),
        "unwinding": _UNWINDING_LENGTH,
    }
    at, end = {}, _HEADER.size + 3 * _SEGMENT.size
    for part, size in sizes.items():
        at[part] = (end + 7) // 8 * 8
        end = at[part] + size

    dynamic = {
        _SONAME: strings.index(b"linux"),
        _HASH: at["hash"],
        _STRTAB: at["strings"],
        _SYMTAB: at["symbols"],
        _STRSZ: len(strings),
        _SYMENT: _SYMBOL.size,
        0: 0,
    }
    symbols = [_SYMBOL.pack(0, 0, 0, 0, 0, 0)]
    for name in _FUNCTIONS:  # global functions, of a section that is not "undefined"
        place = strings.index(f"__vdso_{name}\0".encode())
        symbols.append(_SYMBOL.pack(place, 0x12, 0, 1, at["code"] + labels[name], 0))
    parts = {
        "hash": struct.pack(f"<{3 + count}I", 1, count, 1, 0, *range(2, count), 0),  # one chain
        "symbols": b"".join(symbols),
        "strings": strings,
        "dynamic": b"".join(struct.pack("<2Q", *entry) for entry in dynamic.items()),
        "code": code,
        "unwinding": _unwinding(at["unwinding"], at["code"], len(code)),
    }
    segments = (
        _SEGMENT.pack(_LOAD, 5, 0, 0, 0, end, end, 4096),
        _SEGMENT.pack(_DYNAMIC, 4, *3 * (at["dynamic"],), *2 * (sizes["dynamic"],), 8),
        _SEGMENT.pack(_UNWIND, 4, *3 * (at["unwinding"],), *2 * (_TABLE.size,), 4),
    )
    content = bytearray(end)
    header = (b"\x7fELF", 2, 1, 1, 0, 0, 3, 62, 1, 0, _HEADER.size, 0, 0, _HEADER.size)
    _HEADER.pack_into(content, 0, *header, _SEGMENT.size, len(segments), 0, 0, 0)
    content[_HEADER.size : _HEADER.size + 3 * _SEGMENT.size] = b"".join(segments)
    for part, place in at.items():
        content[place : place + sizes[part]] = parts[part]
    return Image(bytes(content), at["code"] + labels["asked"])


def _assembled() -> tuple[bytes, dict[str, int]]:
    code, labels = b"", {}
    for line in LISTING.splitlines():
        label, colon, _ = line.partition(":")
        if colon and " " not in label:
            labels[label] = len(code)
        else:
            code += bytes.fromhex(line[:32])
    return code, labels


# How debuggers and exceptions find the way out of the code, as DWARF and the LSB (.eh_frame_hdr) have it: everywhere
# in it the caller's address is on top of the stack.
_TABLE = struct.Struct("<4B4i")
_CIE = struct.Struct("<IiB3s13s")
_FDE = struct.Struct("<IiiI8x4x")  # and the length 0 that ends the list
_UNWINDING_LENGTH = _TABLE.size + _CIE.size + _FDE.size


def _unwinding(here: int, code: int, length: int) -> bytes:
    cie = here + _TABLE.size
    fde = cie + _CIE.size
    # Encodings: relative to their own place, unsigned, relative to this table.
    table = _TABLE.pack(1, 0x1B, 0x03, 0x3B, cie - (here + 4), 1, code - here, fde - here)
    # Factors 1 and -8, return address in 16; CFA is register 7 + 8, and 16 is at CFA - 8.
    rules = bytes((1, 0x78, 16, 1, 0x1B, 0x0C, 7, 8, 0x90, 1))
    common = _CIE.pack(_CIE.size - 4, 0, 1, b"zR\0", rules)
    return table + common + _FDE.pack(_FDE.size - 8, fde + 4 - cie, code - (fde + 8), length)
