"""The unit of service/deploy/systemd: systemd takes it, and the server does with what it allows.

There need not be a running systemd: its own tool looks at the unit, confined.py stands in for it, and
where containers may be made one is booted in a container.
"""

import os
import pathlib
import platform
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest
import urllib.request

import confined
import synthesis

ROOT = pathlib.Path("service/deploy/systemd").resolve()
UNIT = ROOT / "sluice.service"
SLUICE = pathlib.Path("service/sluice").resolve()
SAMPLE = pathlib.Path("tests/data/sample").resolve()
HERE = pathlib.Path(__file__).resolve().parent
# Of 100; above it a setting has gone.
EXPOSURE_MAX = 20
# README, "Start and end".
DRAIN_MARGIN_SECONDS = 3
FILES_MIN = 4096
SECONDS = 60

needs_systemd = unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")


def seconds(text, name):
    found = re.search(name + r"[=:] ?([0-9]+)s", text)
    return int(found[1]) if found else 0


class Unit(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.unit = self.folder / UNIT.name
        # The program from where it is, and not from where it would be installed.
        self.unit.write_text(UNIT.read_text().replace("/usr/bin/sluice", str(SLUICE)))

    def analyze(self, *arguments):
        return subprocess.run(["systemd-analyze", *arguments], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)

    @needs_systemd
    def test_systemd_takes_it(self):
        done = self.analyze("verify", str(self.unit))

        self.assertEqual((done.returncode, done.stdout), (0, ""))

    @needs_systemd
    def test_systemd_takes_it_with_the_gpu(self):
        drop_in = self.folder / "sluice.service.d" / "gpu.conf"
        drop_in.parent.mkdir()
        shutil.copy(ROOT / "gpu.conf", drop_in)

        done = self.analyze("verify", str(self.unit))

        self.assertEqual((done.returncode, done.stdout), (0, ""))

    @needs_systemd
    def test_little_is_left_open(self):
        done = self.analyze("security", "--offline=yes", "--no-pager",
                            f"--threshold={EXPOSURE_MAX}", str(self.unit))

        self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_server_takes_its_configuration(self):
        done = subprocess.run([SLUICE, "check-config", ROOT / "sluice.yaml"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

        self.assertEqual(done.returncode, 0, done.stdout)

    def test_it_waits_for_the_drain(self):
        configuration = (ROOT / "sluice.yaml").read_text()
        needed = seconds(configuration, "wait") + seconds(configuration, "timeout")

        self.assertGreater(seconds(UNIT.read_text(), "TimeoutStopSec"),
                           needed + DRAIN_MARGIN_SECONDS)

    def test_it_allows_the_files_that_the_server_needs(self):
        self.assertGreaterEqual(int(confined.settings(UNIT)["LimitNOFILE"]), FILES_MIN)


@needs_systemd
@unittest.skipUnless(platform.machine() == "x86_64", "the filter is made for x86-64 alone")
class Confined(unittest.TestCase):
    """Under the unit's filter of system calls, address families and memory."""

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, *command):
        return subprocess.Popen(
            [sys.executable, HERE / "confined.py", UNIT, *command],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def denied(self, code):
        """What Python says at its end of code that the filter does not allow."""
        python = self.start(os.path.realpath(sys.executable), "-c", code)
        _, error = python.communicate(timeout=SECONDS)
        self.assertNotEqual(python.returncode, 0)
        return error.strip().splitlines()[-1]

    def test_the_filter_holds(self):
        for code, error in {
            "import mmap; mmap.mmap(-1, 4096, prot=6)": "PermissionError",
            "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)": "OSError",
            "import os; os.chroot('/')": "PermissionError",
        }.items():
            with self.subTest(code):
                self.assertTrue(self.denied(code).startswith(error))

    def sluice(self, *arguments):
        done = subprocess.run(
            [SLUICE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={"SLUICE_SERVER": f"unix:{self.folder}/sluice.sock"}, timeout=SECONDS)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_the_server_serves_reloads_and_drains(self):
        text = (ROOT / "sluice.yaml").read_text()
        text = text.replace("/var/lib/sluice", f"{self.folder}/data").replace(
            "/run/sluice", str(self.folder))
        (self.folder / "sluice.yaml").write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:0", text))
        server = self.start(SLUICE, "serve", "--config", self.folder / "sluice.yaml")
        before = ""
        try:
            told = dict(server.stdout.readline().split(" on ") for _ in range(3)
                        if server.poll() is None)
            self.sluice("import", "manual", SAMPLE / "chunks.jsonl", "--vectors",
                        SAMPLE / "vectors.npy", "--create")
            # Trains and writes a segment, in threads of low priority.
            self.sluice("optimize", "manual")
            found = self.sluice("search", "manual", "--vector-file", SAMPLE / "questions.npy",
                                "--limit", "3", "--json")
            page = urllib.request.urlopen(f"http://{told['metrics'].strip()}/metrics").read()
            server.send_signal(signal.SIGHUP)
            # Two signals at once may come in any order, by way of threads that libraries have.
            while server.poll() is None and "INFO reload:" not in before:
                before += server.stderr.readline()
        finally:
            server.send_signal(signal.SIGTERM)
            _, log = server.communicate(timeout=SECONDS)
            log = before + log

        self.assertEqual(len(found.splitlines()), 4)
        self.assertIn(b"\nsluice_hits_total 3\n", page)
        self.assertEqual(server.returncode, 0, log)
        self.assertIn("INFO reload:", log)
        self.assertNotRegex(log, "WARNING|ERROR")
        self.assertEqual((self.folder / "data").stat().st_mode & 0o077, 0)


# Beside sluice.service in the container, which ends when it has.
TRY = """
[Unit]
Wants=sluice.service
After=sluice.service
SuccessAction=exit
FailureAction=exit
[Service]
Type=oneshot
ExecStart=/bin/bash /opt/boot.sh
StandardOutput=file:/out/boot.log
StandardError=file:/out/boot.log
"""
BOOT_SECONDS = 600


@unittest.skipUnless(shutil.which("systemd-nspawn"),
                     "systemd-nspawn is not installed (bazel/setup)")
@unittest.skipUnless(os.geteuid() == 0, "only root may boot a container")
class Booted(unittest.TestCase):
    """With systemd as the first process, over the machine's own /usr."""

    def make_root(self):
        """The rest of a root folder: what is installed, and nothing else."""
        root = self.folder / "root"
        for name in ("etc/systemd/system", "etc/sysusers.d", "etc/sluice", "usr", "var", "opt", "out"):
            (root / name).mkdir(parents=True)
        for name in ("bin", "sbin", "lib", "lib64"):
            (root / name).symlink_to("usr/" + name)
        for name in ("os-release", "ld.so.cache"):
            shutil.copy(f"/etc/{name}", root / "etc")
        # Debian's choice among libraries is a link through there.
        shutil.copytree("/etc/alternatives", root / "etc/alternatives", symlinks=True)
        (root / "etc/passwd").write_text("root:x:0:0:root:/:/bin/bash\n")
        (root / "etc/group").write_text("root:x:0:\n")
        units = root / "etc/systemd/system"
        (units / "sluice.service").write_text(
            UNIT.read_text().replace("/usr/bin/sluice", "/opt/sluice"))
        (units / "try.service").write_text(TRY)
        (units / "try.target").write_text("[Unit]\nRequires=try.service\n")
        shutil.copy(ROOT / "sysusers.conf", root / "etc/sysusers.d/sluice.conf")
        shutil.copy(ROOT / "sluice.yaml", root / "etc/sluice")
        shutil.copy(SLUICE, root / "opt/sluice")
        shutil.copy(HERE / "boot.sh", root / "opt")
        shutil.copytree(SAMPLE, root / "opt/sample")
        return root

    def test_it_runs_the_server_reloads_and_stops_it(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        # Others than its owner pass through.
        self.folder.chmod(0o755)
        root = self.make_root()
        out = root / "out"

        done = subprocess.run(
            ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network",
             f"--machine=sluice-{os.getpid()}", f"--directory={root}", "--bind-ro=/usr",
             "--console=pipe", "--boot", "--", "--unit=try.target"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            timeout=BOOT_SECONDS)
        if not (out / "boot.log").exists():
            self.skipTest(f"no container can be booted here: {done.stdout[-500:]}")

        print((out / "boot.log").read_text())
        self.assertEqual(set((out / "end").read_text().split()),
                         {"Result=success", "NRestarts=0", "ExecMainStatus=0"})
        log = (out / "log").read_text()
        for line in ("INFO reload:", "INFO Terminated: draining", "INFO drained"):
            self.assertIn(line, log)
        self.assertNotRegex(log, " WARNING | ERROR ")
        status = (out / "status").read_text()
        for line in ("CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            self.assertIn(line, status)
        self.assertEqual(len((out / "hits").read_text().splitlines()), 4)
        self.assertEqual((out / "files").read_text().splitlines(), [
            "sluice:sluice 750 /var/lib/sluice", "sluice:sluice 750 /run/sluice",
            "sluice:sluice 660 /run/sluice/sluice.sock"])


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
