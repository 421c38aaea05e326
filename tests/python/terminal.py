"""Runs a program on a pseudo-terminal, does what a user would, and tells what came of it.

Usage: terminal.py JSON
JSON has "command", "rows", "columns", "env" (variables on top of those of this process; null removes
one) and "steps", each of them one of

    ["expect", TEXT]          waits until the program has written this since the last expectation
    ["send", TEXT]            types something
    ["resize", ROWS, COLUMNS] resizes the terminal
    ["signal", NAME]          sends a signal to the program
    ["run", SCRIPT]           runs something else in a shell

Prints JSON: "output", all that the program has written (bytes as characters up to U+00FF), "code",
its exit code or the negative number of the signal that ended it, "restored", whether the settings of
the terminal are what they were, and "missing", the text that did not come in time, if any.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time

TIMEOUT_S = 20

task = json.loads(sys.argv[1])
master, slave = pty.openpty()


def resize(rows, columns):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


resize(task["rows"], task["columns"])
before = termios.tcgetattr(slave)

# This process keeps the slave open, so that the settings can be read when the program has ended.
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for descriptor in (0, 1, 2):
        os.dup2(slave, descriptor)
    os.closerange(3, 256)
    for name, value in task.get("env", {}).items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    os.execvp(task["command"][0], task["command"])

output = b""
read = 0
code = None


def poll(seconds):
    """Takes what the program writes, for a while or until there is something."""
    global output
    ready, _, _ = select.select([master], [], [], seconds)
    if ready:
        output += os.read(master, 65536)
    return bool(ready)


def ended():
    global code
    if code is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    return code is not None


def expect(text):
    global read
    wanted = text.encode()
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        found = output.find(wanted, read)
        if found >= 0:
            read = found + len(wanted)
            return True
        if not poll(0.05) and ended():
            return False
    return False


missing = None
for step, *values in task["steps"]:
    if step == "expect":
        if not expect(values[0]):
            missing = values[0]
            break
    elif step == "send":
        os.write(master, values[0].encode())
    elif step == "resize":
        resize(*values)
    elif step == "signal":
        os.kill(pid, getattr(signal, values[0]))
    elif step == "run":
        subprocess.run(values[0], shell=True, check=True)

deadline = time.monotonic() + (TIMEOUT_S if missing is None else 0)
while not ended() and time.monotonic() < deadline:
    poll(0.05)
if not ended():
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
while poll(0.05):
    pass
print(json.dumps({
    "output": output.decode("latin-1"),
    "code": code,
    "restored": termios.tcgetattr(slave) == before,
    "missing": missing,
}))
