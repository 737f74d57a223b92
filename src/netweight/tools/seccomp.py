"""System calls that sandboxed code may not make, as a filter that the kernel runs.

Namespaces leave some ways out, and these are closed here: sockets of kinds that belong to no
network namespace (a virtual machine's line to its host, for one), memory that no limit of a process
counts, new namespaces, other processes' memory and descriptors, and parts of the kernel that only
widen what can be attacked. Knows no bubblewrap.
"""

import errno
import platform
import struct

# Numbers of the calls, per machine: Linux 6.1, arch/x86/entry/syscalls/syscall_64.tbl and
# include/uapi/asm-generic/unistd.h.
_X86_64 = {
    "shmget": 29, "semget": 64, "msgget": 68, "memfd_create": 319, "memfd_secret": 447,
    "ptrace": 101, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "fsopen": 430,
    "open_tree": 428, "move_mount": 429, "pivot_root": 155, "chroot": 161, "bpf": 321,
    "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "add_key": 248,
    "request_key": 249, "keyctl": 250, "open_by_handle_at": 304, "process_vm_readv": 310,
    "process_vm_writev": 311, "pidfd_getfd": 438,
}  # fmt: skip
_AARCH64 = {
    "shmget": 194, "semget": 190, "msgget": 186, "memfd_create": 279, "memfd_secret": 447,
    "ptrace": 117, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "fsopen": 430,
    "open_tree": 428, "move_mount": 429, "pivot_root": 41, "chroot": 51, "bpf": 280,
    "perf_event_open": 241, "userfaultfd": 282, "io_uring_setup": 425, "add_key": 217,
    "request_key": 218, "keyctl": 219, "open_by_handle_at": 265, "process_vm_readv": 270,
    "process_vm_writev": 271, "pidfd_getfd": 438,
}  # fmt: skip
_CLONE3 = 435  # on both

_ARCHITECTURES = {  # AUDIT_ARCH_*, socket, clone, the refused calls
    "x86_64": (0xC000003E, 41, 56, _X86_64),
    "aarch64": (0xC00000B7, 198, 220, _AARCH64),
}
MACHINES = tuple(_ARCHITECTURES)

_FAMILIES = (1, 2, 10, 16)  # unix, inet, inet6 and netlink: those that a network namespace confines
_NEW_NAMESPACES = 0x7E020000  # every CLONE_NEW* flag that clone takes
_X32 = 0x40000000  # x86-64 calls of the x32 ABI carry this bit, and would slip past their numbers

# Classic BPF: struct sock_filter {code, jump if true, jump if false, k}; offsets in seccomp_data.
_INSTRUCTION = struct.Struct("=HBBI")
_LOAD, _RETURN = 0x20, 0x06
_IF_EQUAL, _IF_AT_LEAST, _IF_ANY_BIT = 0x15, 0x35, 0x45
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _FAIL_WITH = 0x7FFF0000, 0x00050000


def deny_filter(machine: str | None = None) -> bytes:
    """The filter as the array of `struct sock_filter` that seccomp takes; all else is allowed.

    `machine` is one of MACHINES, by default this one. A refused call fails with EPERM; clone3 with
    ENOSYS, since its flags lie in memory, so that libraries use clone instead.
    """
    architecture, socket, clone, refused = _ARCHITECTURES[machine or platform.machine()]
    is_family_allowed = [
        step for family in _FAMILIES for step in _when(_IF_EQUAL, family, _return(_ALLOW))
    ]
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IF_EQUAL, 1, 0, architecture),
        _return(_FAIL_WITH | errno.ENOSYS),
        (_LOAD, 0, 0, _NUMBER),
        *_when(_IF_AT_LEAST, _X32, _return(_FAIL_WITH | errno.ENOSYS)),
        *_when(_IF_EQUAL, _CLONE3, _return(_FAIL_WITH | errno.ENOSYS)),
    ]
    for number in refused.values():
        steps += _when(_IF_EQUAL, number, _return(_FAIL_WITH | errno.EPERM))
    steps += _when(
        _IF_EQUAL,
        clone,
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *_when(_IF_ANY_BIT, _NEW_NAMESPACES, _return(_FAIL_WITH | errno.EPERM)),
        _return(_ALLOW),
    )
    steps += _when(
        _IF_EQUAL,
        socket,
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *is_family_allowed,
        _return(_FAIL_WITH | errno.EAFNOSUPPORT),
    )
    return b"".join(_INSTRUCTION.pack(*step) for step in [*steps, _return(_ALLOW)])


_Step = tuple[int, int, int, int]


def _when(test: int, value: int, *then: _Step) -> list[_Step]:
    """Steps that are skipped unless what was loaded passes the test."""
    return [(test, 0, len(then), value), *then]


def _return(verdict: int) -> _Step:
    return (_RETURN, 0, 0, verdict)
