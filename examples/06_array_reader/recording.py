"""Recording, layout ad2b91c90b570e0f: made by shmkit, and not to be edited."""

import ctypes

class Recording(ctypes.Structure):
    _fields_ = [
        ("rate", ctypes.c_double),
        ("count", ctypes.c_uint32),
        ("samples", (ctypes.c_double) * 1000),
    ]

assert ctypes.sizeof(Recording) == 8016
assert Recording.rate.offset == 0
assert Recording.count.offset == 8
assert Recording.samples.offset == 16
