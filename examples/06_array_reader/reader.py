"""Looks at a recording while it is made: reader.py [name]. With NumPy if it is there, or without."""

import math
import signal
import sys
import time
from multiprocessing import resource_tracker, shared_memory

from recording import Recording  # made by recording.ts

try:
    import numpy
except ImportError:
    numpy = None


def attach(name):
    """Waits for shared memory of somebody else, and attaches to it."""
    while True:
        try:
            if sys.version_info >= (3, 13):
                return shared_memory.SharedMemory(name, track=False)
            memory = shared_memory.SharedMemory(name)
        except FileNotFoundError:
            time.sleep(0.01)
            continue
        # Or this Python would remove the name when it ends: docs/python.md.
        resource_tracker.unregister(memory._name, "shared_memory")
        return memory


def array_of(memory, field, length):
    """An array of doubles in shared memory: not a copy, but the memory itself."""
    if numpy is not None:
        return numpy.frombuffer(memory.buf, numpy.float64, length, field.offset)
    end = field.offset + field.size
    return memory.buf[field.offset : end].cast("d")


def loudness(samples):
    """The root of the mean of the squares."""
    if numpy is not None:
        return float(numpy.sqrt(numpy.mean(samples * samples)))
    return math.sqrt(sum(sample * sample for sample in samples) / len(samples))


def watch(memory):
    recording = Recording.from_buffer(memory.buf)  # the fields, in place
    samples = array_of(memory, Recording.samples, len(recording.samples))
    print(f"a {type(samples).__name__} of {len(samples)} samples", flush=True)
    count = 0
    while count < len(samples):
        time.sleep(0.5)
        count = recording.count
        if count > 0:
            seen = samples[:count]  # not a copy either
            seconds = count / recording.rate
            print(f"{count} samples, {seconds:.2f} s, loudness {loudness(seen):.6f}", flush=True)


signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C just ends it: nothing here is its own
memory = attach(sys.argv[1] if len(sys.argv) > 1 else "shmkit-recording")
watch(memory)  # a function: at its end, nothing refers to the memory any more
memory.close()
