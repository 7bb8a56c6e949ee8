"""Processes that a peer consists of: their CPU time, their memory, their beginning and end."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SAMPLE_S = 0.2
ENDING_S = 20


def prctl(option, value):
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def adopt_orphans():
    """Whose parent ends before them become ours, so that descendants() finds them."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent():
    """For preexec_fn: a killed player leaves no server behind."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def parents():
    """{pid: parent} of all processes."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                found[int(entry.name)] = int(stat[1])
    return found


def tree(pid):
    """A process and those that it begot, ended ones not among them."""
    parent_of, found = parents(), [pid]
    for one in found:
        found += [child for child, parent in parent_of.items() if parent == one]
    return found


def end_descendants():
    """Kills those of this process that are left."""
    for _ in range(10):
        left = tree(os.getpid())[1:]
        if not left:
            return
        for pid in left:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        time.sleep(0.1)


def cpu_seconds(pid):
    """User and system, of all its threads and of its children that have ended; 0 where it has itself.

    By the clock that the kernel keeps for it, to the nanosecond: /proc has hundredths of a second,
    which do for children that ended.
    """
    try:
        own = time.clock_gettime_ns((~pid << 3) | 2) * 1e-9
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return own + (int(stat[13]) + int(stat[14])) / os.sysconf("SC_CLK_TCK")


def tree_cpu_seconds(pids):
    return sum(map(cpu_seconds, pids))


def sizes_of(path):
    """{name: bytes} of a file of /proc with lines of NAME: N kB."""
    found = {}
    with contextlib.suppress(OSError):
        for line in pathlib.Path(path).read_text().splitlines():
            name, _, rest = line.partition(":")
            if rest.endswith(" kB"):
                found[name] = int(rest.split()[0]) * 1024
    return found


def memory_bytes(pids):
    """What processes hold in RAM together. What they share counts once: Pss, where they are several."""
    if len(pids) == 1:
        return sizes_of(f"/proc/{pids[0]}/status").get("VmHWM", 0)
    return sum(sizes_of(f"/proc/{pid}/smaps_rollup").get("Pss", 0) for pid in pids)


class Peak:
    """The most memory that the tree of a process has had since this began; a thread looks."""

    def __init__(self, pid):
        self.pid, self.bytes, self.ended = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def look(self):
        self.bytes = max(self.bytes, memory_bytes(tree(self.pid)))

    def run(self):
        while not self.ended.wait(SAMPLE_S):
            self.look()

    def end(self):
        self.ended.set()
        self.thread.join()
        self.look()
        return self.bytes


def as_user(user):
    """For Popen: a row of the user database, or None for who runs this."""
    return dict(user=user.pw_uid, group=user.pw_gid, extra_groups=[]) if user else {}


class Server:
    """A process that a player starts and ends. What it prints goes to a file in its folder."""

    def __init__(self, command, folder, *, wait, user=None, end_by=signal.SIGTERM, env=None):
        self.end_by, self.log = end_by, folder / "server.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                **as_user(user),
                cwd=folder,
                env=env,
                preexec_fn=end_with_parent,
            )
        self.pid = self.process.pid
        try:
            self.wait_until(wait)
        except BaseException:
            self.end()
            raise

    def wait_until(self, ready, limit_s=90):
        """Until ready() is true. Raises with the server's last words where that does not come."""
        end = time.monotonic() + limit_s
        while True:
            if self.process.poll() is not None or time.monotonic() > end:
                words = self.log.read_text(encoding="utf-8", errors="replace")[-800:]
                raise RuntimeError(f"the server did not start: {words}")
            with contextlib.suppress(Exception):
                if ready():
                    return
            time.sleep(0.1)

    def end(self):
        self.process.send_signal(self.end_by)
        try:
            self.process.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def free_port():
    """One of the loopback that was free just now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def answers(port):
    """Whether something listens there."""
    with socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
