"""Reads and writes structs as it is told, a line at a time; tests/peers/round_trip.ts says how.

Usage: round_trip.py DIRECTORY

DIRECTORY has the generated module layouts: the structs, and for each slot its kind, its place and the
numbers of its names.
"""

import ctypes
import struct
import sys
from multiprocessing import resource_tracker
from multiprocessing.shared_memory import SharedMemory

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from layouts import LAYOUTS

FLOATS = {"f32": "f", "f64": "d"}


def attach(name, size):
    """Attaches to what belongs to somebody else, or makes it; see docs/python.md."""
    if size is not None:
        return SharedMemory(name, create=True, size=size)
    if sys.version_info >= (3, 13):
        return SharedMemory(name, track=False)
    memory = SharedMemory(name)
    resource_tracker.unregister(memory._name, "shared_memory")
    return memory


def value_of(kind, text, names):
    if kind == "enumeration":
        return names[text]
    if kind == "f16":
        return 0x7E00 if text == "nan" else int(text, 16)
    if kind in FLOATS:
        if text == "nan":
            return float("nan")
        return struct.unpack(">" + FLOATS[kind], bytes.fromhex(text))[0]
    if kind in ("cstring", "bytes"):
        return bytes.fromhex(text[1:])
    return int(text)


def text_of(kind, value, names):
    if kind == "enumeration":
        return next((name for name, number in names.items() if number == value), "?")
    if kind == "f16":
        return "nan" if value & 0x7FFF > 0x7C00 else "%04x" % value
    if kind in FLOATS:
        return "nan" if value != value else struct.pack(">" + FLOATS[kind], value).hex()
    if kind in ("cstring", "bytes"):
        return "x" + bytes(value).hex()
    return str(int(value))


class Attached:
    def __init__(self, number, name, is_new):
        layout, self.slots = LAYOUTS[number]
        self.memory = attach(name, ctypes.sizeof(layout) if is_new else None)
        self.value = layout.from_buffer(self.memory.buf)
        self.is_new = is_new

    def get(self, slot):
        kind, place, names = self.slots[slot]
        return text_of(kind, eval("p." + place, {"p": self.value}), names)

    def set(self, slot, text):
        kind, place, names = self.slots[slot]
        exec("p.%s = value" % place, {"p": self.value, "value": value_of(kind, text, names)})

    def close(self):
        self.value = None  # or the memory could not be closed
        self.memory.close()
        if self.is_new:
            self.memory.unlink()


opened = {}
for line in sys.stdin:
    verb, number, *words = line.split()
    if verb in ("create", "open"):
        opened[number] = Attached(int(number), words.pop(0), verb == "create")
    attached = opened[number]
    if verb == "get":
        print(*(attached.get(int(word)) for word in words), flush=True)
        continue
    for slot, text in (word.split("=") for word in words):
        attached.set(int(slot), text)
    if verb == "close":
        opened.pop(number).close()
    print(attached.memory.size if verb in ("create", "open") else "done", flush=True)
