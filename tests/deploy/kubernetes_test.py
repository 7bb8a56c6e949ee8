"""The manifests of service/deploy: they can be built, are valid, fit together, and the server starts.

Nothing here speaks to a cluster. kustomize builds, kubeconform holds what comes out against the strict
schemas of two versions of Kubernetes, manifests.py looks at what schemas cannot see.
"""

import copy
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import unittest

import yaml

import manifests
import synthesis

ROOT = pathlib.Path("service/deploy/kubernetes").resolve()
SLUICE = pathlib.Path("service/sluice").resolve()
TLS = pathlib.Path("tests/data/tls").resolve()
KUSTOMIZE, KUBECONFORM = os.environ["KUSTOMIZE"], os.environ["KUBECONFORM"]
SCHEMAS = pathlib.Path(os.environ["SCHEMAS"])
# The oldest that has sidecars without being asked, and the newest whose schemas there are.
VERSIONS = ["1.29.0", "1.37.0"]
TARGETS = ["base", "sidecar", "overlays/development", "overlays/production", "sidecar+monitoring"]
START_SECONDS = 60

built = {}


def build(target):
    """What kustomize makes of a folder; of NAME+COMPONENT, as an overlay would use both."""
    if target in built:
        return built[target]
    name, _, component = target.partition("+")
    with tempfile.TemporaryDirectory() as work:
        # Real files: kustomize follows no link out of the folder that it builds.
        for file in ROOT.rglob("*.yaml"):
            copied = pathlib.Path(work, file.relative_to(ROOT))
            copied.parent.mkdir(parents=True, exist_ok=True)
            copied.write_bytes(file.read_bytes())
        folder = pathlib.Path(work, name)
        if component:
            folder = pathlib.Path(work, "both")
            folder.mkdir()
            (folder / "kustomization.yaml").write_text(
                yaml.safe_dump({"resources": [f"../{name}"], "components": [f"../{component}"]}))
        done = subprocess.run([KUSTOMIZE, "build", folder], check=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True)
    assert not done.stderr, done.stderr
    built[target] = done.stdout
    return done.stdout


def objects_of(target):
    return list(yaml.safe_load_all(build(target)))


def for_each_target(test):
    """Runs a test of one target on all."""
    def run(self):
        for target in TARGETS:
            with self.subTest(target):
                test(self, target)
    return run


class EachTarget(unittest.TestCase):
    def test_all_folders_are_looked_at(self):
        folders = {str(file.parent.relative_to(ROOT)) for file in ROOT.rglob("kustomization.yaml")}

        self.assertEqual(folders - {"monitoring"}, {t for t in TARGETS if "+" not in t})

    def test_all_files_are_used(self):
        for folder in {file.parent for file in ROOT.rglob("kustomization.yaml")}:
            with self.subTest(folder):
                text = (folder / "kustomization.yaml").read_text()
                for file in folder.glob("*.yaml"):
                    self.assertTrue(file.name == "kustomization.yaml" or file.name in text, file)

    @for_each_target
    def test_it_has_the_fields_that_kubernetes_has(self, target):
        for version in VERSIONS:
            done = subprocess.run(
                [KUBECONFORM, "-strict", "-summary", "-schema-location",
                 f"{SCHEMAS}/{version}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"],
                input=build(target), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertIn(f"Valid: {len(objects_of(target))},", done.stdout)

    @for_each_target
    def test_it_fits_together(self, target):
        self.assertEqual(manifests.problems(objects_of(target), yaml.safe_load), [])

    @for_each_target
    def test_the_server_takes_its_configuration(self, target):
        for text in manifests.configurations(objects_of(target)).values():
            with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
                file.write(text)
                file.flush()
                done = subprocess.run([SLUICE, "check-config", file.name],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                      text=True)
            self.assertEqual(done.returncode, 0, done.stdout)

    @for_each_target
    def test_its_image_is_of_this_version(self, target):
        version = subprocess.run([SLUICE, "version"], check=True, stdout=subprocess.PIPE,
                                 text=True).stdout.split()[1]

        for _, template in manifests.workloads(objects_of(target)):
            (server,) = manifests.servers(template)
            self.assertEqual(server["image"], f"sluice:{version}")

    @for_each_target
    def test_the_server_starts_with_it_and_ends(self, target):
        objects = objects_of(target)
        (template,) = [template for _, template in manifests.workloads(objects)]
        with tempfile.TemporaryDirectory() as work:
            self.serve(manifests.configuration_of(objects, template), pathlib.Path(work))

    def serve(self, text, work):
        """The same but for where files and ports are."""
        for path, here in {
            "/etc/sluice/tls/tls.crt": TLS / "server.pem",
            "/etc/sluice/tls/tls.key": TLS / "server.key",
            "/etc/sluice/keys/keys": work / "keys",
            "/run/sluice/sluice.sock": work / "sluice.sock",
            "data_directory: /data": f"data_directory: {work}/data",
            "wait: 5s": "wait: 0s",
            ":7700": ":0", ":7701": ":0", ":9464": ":0",
        }.items():
            text = text.replace(path, str(here))
        (work / "sluice.yaml").write_text(text)
        subprocess.run([SLUICE, "key", "app", "--scopes", "read", "--out", work / "app.key"],
                       check=True, stdout=(work / "keys").open("w"))
        server = subprocess.Popen([SLUICE, "serve", "--config", work / "sluice.yaml"],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        told = [server.stdout.readline().split(" on ")[0] for _ in range(3)]
        server.send_signal(signal.SIGTERM)
        _, log = server.communicate(timeout=START_SECONDS)
        self.assertEqual(told, ["listening", "health", "metrics"], log)
        self.assertEqual(server.returncode, 0, log)


def in_server(change):
    """A change of the container that the server runs in."""
    def apply(objects):
        for _, template in manifests.workloads(objects):
            change(manifests.servers(template)[0])
    return apply


def in_objects(kind, change):
    def apply(objects):
        for thing in manifests.of_kind(objects, kind):
            change(thing)
    return apply


def grace(thing):
    thing["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 8


# What is wrong, and a part of what has to be said about it.
PLANTED = {
    "a probe of another port": (
        in_server(lambda c: c["startupProbe"]["grpc"].update(port=7700)), "startupProbe asks at"),
    "a probe of another service": (
        in_server(lambda c: c["livenessProbe"]["grpc"].update(service="")), "for liveness"),
    "no probe": (in_server(lambda c: c.pop("readinessProbe")), "for readiness"),
    "no limit": (in_server(lambda c: c["resources"].pop("limits")), "no limit of memory"),
    "no request": (in_server(lambda c: c["resources"].pop("requests")), "requests nothing"),
    "root": (in_server(lambda c: c["securityContext"].update(runAsUser=0)), "runAsUser"),
    "a capability": (
        in_server(lambda c: c["securityContext"].update(capabilities={"add": ["SYS_ADMIN"]})),
        "capabilities"),
    "a mount of nothing": (
        in_server(lambda c: c["volumeMounts"].append({"name": "x", "mountPath": "/x"})),
        "the volume x"),
    "no such port": (
        in_objects("Service", lambda s: s["spec"]["ports"][-1].update(targetPort="x")),
        "the port x"),
    "a service of nobody": (
        in_objects("Service", lambda s: s["spec"].update(selector={"a": "b"})), "selects no pod"),
    "a budget of nobody": (
        in_objects("PodDisruptionBudget",
                   lambda b: b["spec"]["selector"].update(matchLabels={"a": "b"})),
        "selects no pod"),
    "a policy for no port": (
        in_objects("NetworkPolicy", lambda p: p["spec"]["ingress"][0]["ports"][0].update(port="x")),
        "the port x"),
    "a monitor of nothing": (
        in_objects("ServiceMonitor", lambda m: m["spec"]["selector"].update(
            matchLabels={"a": "b"})), "selects no service"),
    "another configuration": (
        in_objects("ServiceAccount", lambda a: a["metadata"].update(name="x")),
        "wants the ServiceAccount"),
    "a short grace": (in_objects("StatefulSet", grace), "is killed within"),
}


class Planted(unittest.TestCase):
    def test_each_mistake_is_found(self):
        for what, (change, said) in PLANTED.items():
            with self.subTest(what):
                objects = copy.deepcopy(objects_of("overlays/production"))
                change(objects)
                found = manifests.problems(objects, yaml.safe_load)
                self.assertTrue(any(said in line for line in found), found)

    def test_a_sidecar_that_ends_is_found(self):
        objects = copy.deepcopy(objects_of("sidecar"))
        in_server(lambda c: c.pop("restartPolicy"))(objects)

        self.assertIn("Deployment app: sluice has to end before the others start",
                      manifests.problems(objects, yaml.safe_load))

    def test_a_field_that_there_is_not_is_found(self):
        text = build("base").replace("readOnlyRootFilesystem", "readOnlyRootFileSystem")

        for version in VERSIONS:
            done = subprocess.run(
                [KUBECONFORM, "-strict", "-schema-location",
                 f"{SCHEMAS}/{version}/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json"],
                input=text, stdout=subprocess.PIPE, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("readOnlyRootFileSystem", done.stdout)


if __name__ == "__main__":
    sys.exit(synthesis.main(sys.modules[__name__]))
