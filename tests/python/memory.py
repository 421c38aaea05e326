"""Shared memory by the means of Python, spoken to line by line.

Usage: memory.py KIND [ARGUMENT...]

    create NAME SIZE    multiprocessing.shared_memory, a new one; without a name if it is "-"
    attach NAME         multiprocessing.shared_memory, one that exists, plainly
    memfd SIZE          os.memfd_create
    file PATH           mmap, for reading and writing
    read PATH           mmap, for reading only
    systemv KEY [SIZE]  shmget and shmat of the C library; with a size, a new one
    sysv_ipc KEY [SIZE] the same by the module of that name

Says "SIZE NAME" when it has the memory, and then obeys

    fill SEED    writes the pattern of tests/support/pattern.ts, and says "filled"
    check SEED   says how many bytes differ from the pattern
    unlink       removes it, and says "removed"
    (the end)    lets go of it and ends
"""

import ctypes
import mmap
import os
import sys

kind, *arguments = sys.argv[1:]


def pattern(size, seed):
    return bytes((position * 31 + seed) & 255 for position in range(size))


def shared_memory(name, size=None):
    from multiprocessing.shared_memory import SharedMemory

    if size is None:
        memory = SharedMemory(name)
    else:
        memory = SharedMemory(None if name == "-" else name, create=True, size=int(size))
    return memory.buf, memory.name, memory.unlink, memory


def memfd(size):
    descriptor = os.memfd_create("made by Python")
    os.ftruncate(descriptor, int(size))
    path = "/proc/%d/fd/%d" % (os.getpid(), descriptor)
    return memoryview(mmap.mmap(descriptor, 0)), path, None, None


def file(path, access=mmap.ACCESS_WRITE):
    with open(path, "r+b" if access == mmap.ACCESS_WRITE else "rb") as opened:
        memory = mmap.mmap(opened.fileno(), 0, access=access)
    return memoryview(memory), path, lambda: os.unlink(path), None


def systemv(key, size=0):
    IPC_CREAT, IPC_EXCL, IPC_RMID, IPC_STAT = 0o1000, 0o2000, 0, 2
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmget.argtypes = [ctypes.c_int, ctypes.c_size_t, ctypes.c_int]
    libc.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
    libc.shmat.restype = ctypes.c_void_p

    def checked(result):
        if result in (-1, ctypes.c_void_p(-1).value):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return result

    flags = IPC_CREAT | IPC_EXCL | 0o600 if size else 0
    identifier = checked(libc.shmget(int(key), int(size), flags))
    status = (ctypes.c_size_t * 32)()
    checked(libc.shmctl(identifier, IPC_STAT, status))
    byte_length = status[6]  # shm_segsz is behind struct ipc_perm, which has 48 bytes
    address = checked(libc.shmat(identifier, None, 0))
    memory = (ctypes.c_ubyte * byte_length).from_address(address)
    remove = lambda: checked(libc.shmctl(identifier, IPC_RMID, None))
    return memoryview(memory).cast("B"), str(identifier), remove, None


def sysv_ipc(key, size=None):
    from sysv_ipc import IPC_CREX, SharedMemory

    if size is None:
        memory = SharedMemory(int(key))
    else:
        memory = SharedMemory(int(key), IPC_CREX, mode=0o600, size=int(size))
    return memoryview(memory), str(memory.id), memory.remove, memory


kinds = {
    "create": shared_memory,
    "attach": shared_memory,
    "memfd": memfd,
    "file": file,
    "read": lambda path: file(path, mmap.ACCESS_READ),
    "systemv": systemv,
    "sysv_ipc": sysv_ipc,
}
view, name, unlink, owner = kinds[kind](*arguments)


def say(text):
    print(text, flush=True)


say("%d %s" % (len(view), name))
for line in sys.stdin:
    word, *rest = line.split()
    if word == "fill":
        view[:] = pattern(len(view), int(rest[0]))
        say("filled")
    elif word == "check":
        expected = pattern(len(view), int(rest[0]))
        say(str(sum(one != other for one, other in zip(bytes(view), expected))))
    elif word == "unlink":
        unlink()
        say("removed")
if kind in ("create", "attach"):
    view = None
    owner.close()
