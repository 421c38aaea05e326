# Python's shared_memory: creating, writing and removing a segment; attaching, reading and closing.

import json
import os
import time
from multiprocessing.shared_memory import SharedMemory

ROUNDS = 3000
SIZE = 65536
NAME = f"shmkit-bench-{os.getpid()}"


def time_us(body):
    for _ in range(200):
        body()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        body()
    return (time.perf_counter() - start) / ROUNDS * 1e6


def create():
    segment = SharedMemory(NAME, create=True, size=SIZE)
    segment.buf[0] = 1
    segment.close()
    segment.unlink()


def attach():
    segment = SharedMemory(NAME)
    assert segment.buf[0] == 1
    segment.close()


created = time_us(create)
kept = SharedMemory(NAME, create=True, size=SIZE)
kept.buf[0] = 1
attached = time_us(attach)
kept.close()
kept.unlink()
print(json.dumps({"create and remove": created, "open and close": attached}))
