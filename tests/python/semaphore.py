"""A System V semaphore by the module sysv_ipc, spoken to line by line.

Usage: semaphore.py KEY [VALUE]     with a value, a new one

Says "ready", and then obeys

    acquire [undo]   says "acquired"
    release          says "released"
    value            says it
    remove           says "removed"
    (the end)        ends
"""

import sys

import sysv_ipc

key, *initial = map(int, sys.argv[1:])
if initial:
    semaphore = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, mode=0o600, initial_value=initial[0])
else:
    semaphore = sysv_ipc.Semaphore(key)
print("ready", flush=True)
for line in sys.stdin:
    word, *rest = line.split()
    if word == "acquire":
        semaphore.undo = rest == ["undo"]
        semaphore.acquire(10)
        answer = "acquired"
    elif word == "release":
        semaphore.release()
        answer = "released"
    elif word == "value":
        answer = str(semaphore.value)
    elif word == "remove":
        semaphore.remove()
        answer = "removed"
    print(answer, flush=True)
