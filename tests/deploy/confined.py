"""Runs a program under what a unit of systemd allows it, where there is no systemd to do it.

    confined.py UNIT PROGRAM ARGUMENT...

Of the unit are taken NoNewPrivileges, SystemCallFilter with its groups and SystemCallErrorNumber,
SystemCallArchitectures, RestrictAddressFamilies, MemoryDenyWriteExecute, LimitNOFILE, LimitCORE and
UMask. The filter is made as systemd makes it: a call that is not allowed fails with EPERM. x86-64 alone.
"""

import ctypes
import errno
import os
import re
import resource
import socket
import struct
import subprocess
import sys

NUMBERS = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
AUDIT_ARCH_X86_64 = 0xC000003E
PR_SET_SECCOMP, SECCOMP_MODE_FILTER, PR_SET_NO_NEW_PRIVS = 22, 2, 38
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
# Offsets in struct seccomp_data, of the low halves of arguments.
NUMBER, ARCHITECTURE, ARGUMENT_0, ARGUMENT_2 = 0, 4, 16, 32
PROT_WRITE, PROT_EXEC = 2, 4
LOAD, AND, EQUAL, RETURN = 0x20, 0x54, 0x15, 0x06


def settings(unit):
    """{name: value} of a unit; a name that comes again adds to what was."""
    found = {}
    for line in open(unit, encoding="utf-8"):
        name, equals, value = line.strip().partition("=")
        if equals and not line.startswith("#"):
            found[name] = f"{found[name]} {value}" if name in found else value
    return found


def calls_of(group):
    """The names of the system calls in one of systemd's groups."""
    told = subprocess.run(["systemd-analyze", "syscall-filter", group], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    for name in re.findall(r"^    ([@a-z0-9_-]+)$", told, re.MULTILINE):
        if name.startswith("@"):
            yield from calls_of(name)
        else:
            yield name


def numbers():
    return {name: int(number) for name, number in re.findall(
        r"#define __NR_(\w+) (\d+)", open(NUMBERS, encoding="utf-8").read())}


def one(code, value, true=0, false=0):
    return struct.pack("=HBBI", code, true, false, value)


def when(number, body):
    """The body for this call; the number is in the accumulator before and, past it, behind."""
    return [one(EQUAL, number, 0, len(body)), *body]


def refuse_if_all(argument, bits):
    """Fails where the argument has all these bits, else the call is allowed."""
    return [one(LOAD, argument), one(AND, bits), one(EQUAL, bits, 0, 1),
            one(RETURN, FAIL | errno.EPERM), one(RETURN, ALLOW)]


def program(unit):
    number = numbers()
    allowed = set()
    for word in unit["SystemCallFilter"].split():
        allowed |= set(calls_of(word) if word.startswith("@") else [word])
    code = [one(LOAD, ARCHITECTURE), one(EQUAL, AUDIT_ARCH_X86_64, 1, 0), one(RETURN, KILL),
            one(LOAD, NUMBER)]
    if unit.get("MemoryDenyWriteExecute") == "yes":
        code += when(number["mmap"], refuse_if_all(ARGUMENT_2, PROT_WRITE | PROT_EXEC))
        for name in ("mprotect", "pkey_mprotect"):
            code += when(number[name], refuse_if_all(ARGUMENT_2, PROT_EXEC))
    families = [one(LOAD, ARGUMENT_0)]
    for family in unit["RestrictAddressFamilies"].split():
        families += [one(EQUAL, getattr(socket, family), 0, 1), one(RETURN, ALLOW)]
    code += when(number["socket"], [*families, one(RETURN, FAIL | errno.EAFNOSUPPORT)])
    for name in sorted(allowed & number.keys()):
        code += when(number[name], [one(RETURN, ALLOW)])
    return code + [one(RETURN, FAIL | getattr(errno, unit["SystemCallErrorNumber"]))]


def confine(unit):
    code = b"".join(program(unit))
    memory = ctypes.create_string_buffer(code)
    description = struct.pack("@HP", len(code) // 8, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(int(unit["UMask"], 8))
    for name in ("NOFILE", "CORE"):
        kind = getattr(resource, "RLIMIT_" + name)
        limit = min(int(unit["Limit" + name]), resource.getrlimit(kind)[1] % (1 << 63))
        resource.setrlimit(kind, (min(limit, 1024), limit))
    assert unit["NoNewPrivileges"] == "yes"
    for arguments in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                      (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, description, 0, 0)):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), "prctl")


def main():
    confine(settings(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
