"""The container image: its layout is whole, it holds what it should and no more, and it runs.

It is run as a container would run it: its own root folder, read-only, as its own user, without the
right to become another; /data alone is written to. No container engine is needed for that: a mount
namespace and chroot do, where the machine allows them.
"""

import gzip
import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import synthesis

MAKE = "bazel/image/image"
SAMPLE = pathlib.Path("tests/data/sample")
BYTES_MAX = 25_000_000
USER = 65532
START_SECONDS = 60

# Prepares the root folder $1 with the data folder $2 and the sample $3, and runs the rest in it.
ENTER = """
set -e
root=$1 data=$2 sample=$3
shift 3
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount --bind "$sample" "$root/sample"
mount -o remount,bind,ro "$root"
cd "$root"
exec setpriv --no-new-privs chroot $AS_USER "$root" /usr/bin/sluice "$@"
"""


def blob(layout, digest):
    return layout / "blobs" / digest.replace(":", "/")


def load(layout, descriptor):
    return json.loads(blob(layout, descriptor["digest"]).read_bytes())


class Image:
    """The image, made once and unpacked once."""

    def __init__(self):
        self.work = pathlib.Path(tempfile.mkdtemp(dir=os.environ.get("TEST_TMPDIR")))
        self.layout = self.make("image")
        self.index = json.loads((self.layout / "index.json").read_bytes())
        self.manifest = load(self.layout, self.index["manifests"][0])
        self.config = load(self.layout, self.manifest["config"])
        self.root = self.work / "root"
        self.entries = {}
        for layer in self.manifest["layers"]:
            with tarfile.open(blob(self.layout, layer["digest"])) as archive:
                self.entries.update({entry.name: entry for entry in archive})
                archive.extractall(self.root)

    def make(self, name):
        subprocess.run([MAKE, self.work / name], check=True, stdout=subprocess.DEVNULL)
        return self.work / name

    def finish(self):
        shutil.rmtree(self.work, ignore_errors=True)


image = None


def setUpModule():
    global image
    image = Image()


def tearDownModule():
    image.finish()


class Layout(unittest.TestCase):
    def test_each_blob_is_what_its_name_says(self):
        blobs = list((image.layout / "blobs/sha256").iterdir())

        self.assertEqual(len(blobs), 4)
        for file in blobs:
            self.assertEqual(hashlib.sha256(file.read_bytes()).hexdigest(), file.name)

    def test_descriptors_lead_to_all_blobs_with_their_sizes(self):
        descriptors = [
            image.index["manifests"][0], image.manifest["config"], *image.manifest["layers"]]

        for descriptor in descriptors:
            file = blob(image.layout, descriptor["digest"])
            self.assertEqual(file.stat().st_size, descriptor["size"])
        self.assertEqual({d["digest"].split(":")[1] for d in descriptors},
                         {file.name for file in (image.layout / "blobs/sha256").iterdir()})

    def test_the_configuration_names_the_layers_unpacked(self):
        unpacked = [
            "sha256:" + hashlib.sha256(
                gzip.decompress(blob(image.layout, layer["digest"]).read_bytes())).hexdigest()
            for layer in image.manifest["layers"]]

        self.assertEqual(image.config["rootfs"], {"type": "layers", "diff_ids": unpacked})
        self.assertEqual(len(image.config["history"]), len(unpacked))

    def test_made_again_it_is_the_same(self):
        again = image.make("again")

        self.assertEqual((again / "index.json").read_bytes(),
                         (image.layout / "index.json").read_bytes())

    def test_a_folder_of_something_else_is_left_alone(self):
        other = image.work / "other"
        other.mkdir()
        (other / "mine").write_text("dear")

        done = subprocess.run([MAKE, other], stderr=subprocess.PIPE, text=True)

        self.assertEqual(done.returncode, 1)
        self.assertIn("is no image", done.stderr)
        self.assertEqual([file.name for file in other.iterdir()], ["mine"])

    @unittest.skipUnless(shutil.which("skopeo"), "skopeo is not installed (bazel/setup --checks)")
    def test_skopeo_copies_it(self):
        copy = image.work / "copy.tar"

        subprocess.run(["skopeo", "copy", "--quiet", "--insecure-policy", f"oci:{image.layout}",
                        f"oci-archive:{copy}"], check=True)

        with tarfile.open(copy) as archive:
            index = json.load(archive.extractfile("index.json"))
        self.assertEqual(index["manifests"][0]["digest"],
                         image.index["manifests"][0]["digest"])

    @unittest.skipUnless(shutil.which("umoci"), "umoci is not installed (bazel/setup --checks)")
    def test_umoci_unpacks_it(self):
        bundle = image.work / "bundle"
        tag = image.config["config"]["Labels"]["org.opencontainers.image.version"]

        subprocess.run(["umoci", "unpack", "--rootless", "--image", f"{image.layout}:{tag}",
                        bundle], check=True, stdout=subprocess.DEVNULL)

        names = {str(file.relative_to(bundle / "rootfs"))
                 for file in (bundle / "rootfs").rglob("*")}
        self.assertEqual(names, set(image.entries))
        process = json.loads((bundle / "config.json").read_bytes())["process"]
        self.assertEqual(process["args"], ["/usr/bin/sluice", "serve"])


class Content(unittest.TestCase):
    def test_it_is_small(self):
        size = sum(file.stat().st_size for file in image.layout.rglob("*") if file.is_file())

        print(f"{size} bytes")
        self.assertLessEqual(size, BYTES_MAX)

    def test_it_says_how_it_is_run(self):
        config = image.config["config"]

        self.assertEqual(config["User"], f"{USER}:{USER}")
        self.assertEqual(config["Entrypoint"], ["/usr/bin/sluice"])
        self.assertEqual(config["Cmd"], ["serve"])
        self.assertEqual(config["Volumes"], {"/data": {}})
        self.assertIn("SLUICE_DATA=/data", config["Env"])
        self.assertEqual(config["StopSignal"], "SIGTERM")

    def test_its_labels_say_what_it_is(self):
        labels = image.config["config"]["Labels"]

        told = subprocess.run([image.root / "usr/bin/sluice", "version"], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        for name in ("title", "description", "version", "revision"):
            self.assertTrue(labels["org.opencontainers.image." + name])
        version, revision = (labels["org.opencontainers.image." + name]
                             for name in ("version", "revision"))
        self.assertEqual(told.splitlines()[0], f"sluice {version} ({revision})")

    def test_nothing_can_be_run_in_it_but_the_program(self):
        programs = [name for name, entry in image.entries.items()
                    if entry.isfile() and entry.mode & 0o111
                    and ".so" not in pathlib.Path(name).name]

        self.assertEqual(programs, ["usr/bin/sluice"])

    def test_nobody_else_may_write_and_nothing_gives_rights(self):
        for name, entry in image.entries.items():
            with self.subTest(name):
                self.assertTrue(entry.isfile() or entry.isdir())
                self.assertEqual(entry.mode & 0o7022, 0)
                self.assertEqual((entry.uid, entry.gid),
                                 (USER, USER) if name == "data" else (0, 0))

    def test_each_library_has_its_terms_and_its_version(self):
        folder = image.root / "var/lib/dpkg/status.d"

        packages = [file.name for file in folder.iterdir()]
        self.assertIn("libgrpc29", packages)
        self.assertIn("libc6", packages)
        for package in packages:
            with self.subTest(package):
                self.assertIn("\nVersion: ", (folder / package).read_text())
                self.assertTrue((image.root / "usr/share/doc" / package / "copyright").exists())


class Running(unittest.TestCase):
    """In a mount namespace, with the image for a root folder."""

    def setUp(self):
        self.data = image.work / "data"
        self.data.mkdir(exist_ok=True)
        (image.root / "sample").mkdir(exist_ok=True)
        # Without Bazel's links, which lead nowhere in there.
        self.sample = image.work / "sample"
        shutil.copytree(SAMPLE, self.sample, dirs_exist_ok=True)
        self.as_root = os.geteuid() == 0
        if self.as_root:
            os.chown(self.data, USER, USER)
            # chroot passes through: the folders above are the test's own.
            image.work.chmod(0o755)
        probe = self.start("version")
        _, why = probe.communicate()
        if probe.returncode and ("unshare:" in why or "mount:" in why):
            self.skipTest(f"a root folder of its own is not allowed here: {why.strip()}")

    def start(self, *arguments, server=""):
        unshare = ["unshare", "--mount", "--propagation", "private"]
        if not self.as_root:
            unshare.append("--map-root-user")
        return subprocess.Popen(
            [*unshare, "bash", "-c", ENTER, "bash", image.root, self.data, self.sample, *arguments],
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SLUICE_DATA": "/data", "SLUICE_SERVER": server,
                 "AS_USER": f"--userspec={USER}:{USER} --groups=" if self.as_root else ""},
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run_in(self, *arguments, server=""):
        process = self.start(*arguments, server=server)
        out, error = process.communicate(timeout=START_SECONDS)
        self.assertEqual(process.returncode, 0, error)
        return out

    def test_it_says_its_version(self):
        labels = image.config["config"]["Labels"]

        self.assertIn(labels["org.opencontainers.image.version"], self.run_in("version"))

    def test_it_creates_imports_searches_and_drains(self):
        server = self.start("serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0")
        try:
            line = server.stdout.readline()
            self.assertTrue(line.startswith("listening on "), line)
            address = line.split()[-1]
            self.run_in("import", "manual", "/sample/chunks.jsonl", "--create", "--vectors",
                        "/sample/vectors.npy", server=address)
            found = self.run_in("search", "manual", "--vector-file", "/sample/questions.npy",
                                "--row", "0", "--limit", "3", "--json", server=address)
            written = list(self.data.iterdir())
        finally:
            server.terminate()
            out, log = server.communicate(timeout=START_SECONDS)

        self.assertEqual([json.loads(line).get("rank") for line in found.splitlines()],
                         [0, 1, 2, None])
        self.assertIn("collections", [file.name for file in written])
        self.assertEqual(server.returncode, 0, log)
        self.assertNotIn(" ERROR ", log)
        if self.as_root:
            self.assertEqual({file.stat().st_uid for file in written}, {USER})


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
