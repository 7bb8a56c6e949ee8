"""What a schema cannot see in Kubernetes' objects: whether they fit each other and the server.

Each check takes the objects of a build and returns what is wrong with them, a sentence each.
"""

import re

# What an operator makes, as base/kustomization.yaml says.
SECRETS_OF_OPERATORS = {"sluice-tls", "sluice-keys"}
HEALTH_SERVICES = {"startupProbe": "startup", "readinessProbe": "readiness",
                   "livenessProbe": "liveness"}
# README, "Start and end": what the end takes beside drain.wait and drain.timeout.
DRAIN_MARGIN_SECONDS = 3


def of_kind(objects, *kinds):
    return [thing for thing in objects if thing["kind"] in kinds]


def name_of(thing):
    return f"{thing['kind']} {thing['metadata']['name']}"


def workloads(objects):
    """(object, pod template) of each that makes pods."""
    return [(thing, thing["spec"]["template"])
            for thing in of_kind(objects, "StatefulSet", "Deployment")]


def containers(template):
    spec = template["spec"]
    return spec.get("initContainers", []) + spec["containers"]


def servers(template):
    return [container for container in containers(template) if container["name"] == "sluice"]


def matches(selector, labels):
    return selector.items() <= labels.items()


def port_names(template):
    return {port["name"] for container in containers(template) for port in container["ports"]}


def configurations(objects):
    """{name of a ConfigMap: its sluice.yaml}."""
    return {thing["metadata"]["name"]: thing["data"]["sluice.yaml"]
            for thing in of_kind(objects, "ConfigMap")}


def configuration_of(objects, template):
    """The text that the server of a pod is started with, by its --config and its volumes."""
    (server,) = servers(template)
    path = server["args"][server["args"].index("--config") + 1]
    folder, file = path.rsplit("/", 1)
    (mount,) = [m["name"] for m in server["volumeMounts"] if m["mountPath"] == folder]
    (volume,) = [v for v in template["spec"]["volumes"] if v["name"] == mount]
    (config,) = [thing for thing in of_kind(objects, "ConfigMap")
                 if thing["metadata"]["name"] == volume["configMap"]["name"]]
    return config["data"][file]


def seconds(text):
    return sum(float(number) * {"h": 3600, "m": 60, "s": 1, "ms": 0.001}[unit]
               for number, unit in re.findall(r"([0-9.]+)(ms|h|m|s)", text))


def selection_problems(objects):
    """Selectors that select nothing, and ports that those selected do not have."""
    templates = [template for _, template in workloads(objects)]
    for thing in of_kind(objects, "Service", "NetworkPolicy", "PodDisruptionBudget"):
        spec = thing["spec"]
        selector = {"Service": lambda: spec["selector"],
                    "NetworkPolicy": lambda: spec["podSelector"]["matchLabels"],
                    "PodDisruptionBudget": lambda: spec["selector"]["matchLabels"]}[thing["kind"]]()
        chosen = [t for t in templates if matches(selector, t["metadata"]["labels"])]
        if not chosen:
            yield f"{name_of(thing)} selects no pod"
        wanted = [port["targetPort"] for port in spec.get("ports", [])]
        wanted += [port["port"] for rule in spec.get("ingress", []) for port in rule["ports"]]
        for port in wanted:
            if not any(port in port_names(template) for template in chosen):
                yield f"{name_of(thing)} wants the port {port}, which no pod of it has"
    for thing, template in workloads(objects):
        if not matches(thing["spec"]["selector"]["matchLabels"], template["metadata"]["labels"]):
            yield f"{name_of(thing)} does not select its own pods"
    for monitor in of_kind(objects, "ServiceMonitor"):
        chosen = [service for service in of_kind(objects, "Service")
                  if matches(monitor["spec"]["selector"]["matchLabels"],
                             service["metadata"]["labels"])]
        if not chosen:
            yield f"{name_of(monitor)} selects no service"
        for endpoint in monitor["spec"]["endpoints"]:
            if not all(endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
                       for service in chosen):
                yield f"{name_of(monitor)} wants the port {endpoint['port']} of a service"


def reference_problems(objects):
    """Names of objects, volumes and accounts that nothing has."""
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in objects}
    names |= {("Secret", secret) for secret in SECRETS_OF_OPERATORS}
    for thing, template in workloads(objects):
        spec = template["spec"]
        wanted = []
        if "serviceAccountName" in spec:
            wanted.append(("ServiceAccount", spec["serviceAccountName"]))
        if "serviceName" in thing["spec"]:
            wanted.append(("Service", thing["spec"]["serviceName"]))
        for volume in spec.get("volumes", []):
            if "configMap" in volume:
                wanted.append(("ConfigMap", volume["configMap"]["name"]))
            if "secret" in volume:
                wanted.append(("Secret", volume["secret"]["secretName"]))
        for kind, name in wanted:
            if (kind, name) not in names:
                yield f"{name_of(thing)} wants the {kind} {name}"
        claims = thing["spec"].get("volumeClaimTemplates", [])
        volumes = {volume["name"] for volume in spec.get("volumes", [])}
        volumes |= {claim["metadata"]["name"] for claim in claims}
        mounted = {mount["name"] for c in containers(template) for mount in c["volumeMounts"]}
        for name in mounted ^ volumes:
            yield f"{name_of(thing)}: the volume {name} is not there, or nobody mounts it"


def probe_problems(objects, read):
    """Probes that do not ask the health listener; read makes an object of a configuration."""
    for thing, template in workloads(objects):
        health = read(configuration_of(objects, template)).get("health_listen", ":")
        for server in servers(template):
            ports = {port["containerPort"] for port in server["ports"]}
            for probe, service in HEALTH_SERVICES.items():
                asked = server.get(probe, {}).get("grpc", {})
                if asked.get("service") != service:
                    yield f"{name_of(thing)}: {probe} does not ask for {service}"
                port = asked.get("port")
                if port not in ports or health.rsplit(":", 1)[1] != str(port):
                    yield f"{name_of(thing)}: {probe} asks at {port}, and health is on {health}"


def grace_problems(objects, read):
    """Pods that are killed before the server has drained."""
    for thing, template in workloads(objects):
        drain = read(configuration_of(objects, template))["drain"]
        needed = seconds(drain["wait"]) + seconds(drain["timeout"]) + DRAIN_MARGIN_SECONDS
        if template["spec"]["terminationGracePeriodSeconds"] <= needed:
            yield f"{name_of(thing)} is killed within {needed:g} seconds"


def profile_problems(objects):
    """What the restricted profile of pod security refuses, and what a small image allows besides."""
    for thing, template in workloads(objects):
        pod = template["spec"].get("securityContext", {})
        for container in containers(template):
            own = {**pod, **container.get("securityContext", {})}
            good = {
                "runAsNonRoot": own.get("runAsNonRoot") is True,
                "runAsUser": own.get("runAsUser", 0) != 0,
                "seccompProfile": own.get("seccompProfile") == {"type": "RuntimeDefault"},
                "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is False,
                "capabilities": own.get("capabilities") == {"drop": ["ALL"]},
                "readOnlyRootFilesystem": own.get("readOnlyRootFilesystem") is True,
            }
            for field, right in good.items():
                if not right:
                    yield f"{name_of(thing)}: {field} of {container['name']}"
        for volume in template["spec"].get("volumes", []):
            if not {"configMap", "secret", "emptyDir"} & volume.keys():
                yield f"{name_of(thing)}: the volume {volume['name']} is of another kind"
        if template["spec"].get("automountServiceAccountToken") is not False:
            yield f"{name_of(thing)} is given a token of the cluster"


def resource_problems(objects):
    """Containers without a request, or without a bound of their memory."""
    for thing, template in workloads(objects):
        for container in containers(template):
            resources = container.get("resources", {})
            if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
                yield f"{name_of(thing)}: {container['name']} requests nothing"
            if "memory" not in resources.get("limits", {}):
                yield f"{name_of(thing)}: {container['name']} has no limit of memory"


def sidecar_problems(objects):
    """A sidecar that Kubernetes takes for a step before the application."""
    for thing, template in workloads(objects):
        for container in template["spec"].get("initContainers", []):
            if container.get("restartPolicy") != "Always":
                yield f"{name_of(thing)}: {container['name']} has to end before the others start"


def problems(objects, read):
    return [
        *selection_problems(objects), *reference_problems(objects),
        *probe_problems(objects, read), *grace_problems(objects, read),
        *profile_problems(objects), *resource_problems(objects), *sidecar_problems(objects),
    ]
