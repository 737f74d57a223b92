import errno
import struct

import pytest

from netweight.tools.seccomp import MACHINES, deny_filter

ALLOW = 0x7FFF0000
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SOCKET = {"x86_64": 41, "aarch64": 198}
CLONE = {"x86_64": 56, "aarch64": 220}
UNSHARE = {"x86_64": 272, "aarch64": 97}
READ = {"x86_64": 0, "aarch64": 63}


def verdict(machine, number, argument=0, *, architecture=None):
    """What the filter says to a call, as the kernel would run it: an errno, or ALLOW."""
    seen = {0: number, 4: architecture or ARCHITECTURE[machine], 16: argument}
    steps = list(struct.iter_unpack("=HBBI", deny_filter(machine)))
    tests = {
        0x15: lambda loaded, k: loaded == k,
        0x35: lambda loaded, k: loaded >= k,
        0x45: lambda loaded, k: loaded & k != 0,
    }
    place, loaded = 0, None
    while True:
        code, if_true, if_false, k = steps[place]
        if code == 0x06:
            return k if k == ALLOW else k & 0xFFFF
        if code == 0x20:
            loaded = seen[k]
        else:
            place += if_true if tests[code](loaded, k) else if_false
        place += 1


@pytest.mark.parametrize("machine", MACHINES)
def test_ordinary_calls_are_allowed(machine):
    assert verdict(machine, READ[machine]) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_only_sockets_that_a_network_namespace_confines_are_allowed(machine):
    families = [f for f in range(64) if verdict(machine, SOCKET[machine], f) == ALLOW]
    assert families == [1, 2, 10, 16]
    assert verdict(machine, SOCKET[machine], 40) == errno.EAFNOSUPPORT


@pytest.mark.parametrize("machine", MACHINES)
def test_processes_and_threads_may_be_made_but_no_namespaces(machine):
    thread = 0x3D0F00
    assert verdict(machine, CLONE[machine], 17) == ALLOW
    assert verdict(machine, CLONE[machine], thread) == ALLOW
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict(machine, CLONE[machine], flag | 17) == errno.EPERM
    assert verdict(machine, UNSHARE[machine]) == errno.EPERM
    assert verdict(machine, 435) == errno.ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
def test_no_other_set_of_call_numbers_gets_past(machine):
    i386, x32 = 0x40000003, 0x40000000
    assert verdict(machine, READ[machine], architecture=i386) == errno.ENOSYS
    assert verdict(machine, x32 | SOCKET[machine], 40) == errno.ENOSYS
