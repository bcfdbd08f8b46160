"""The Kubernetes manifests: built by kustomize without a cluster, and held to Kubernetes' schemas and our own rules."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import pytest
import yaml

from deploy.kubernetes import secrets
from services import SERVICES
from services.billing.issuers.file import load_issuers
from services.cli.former_systems.address import PUBLIC
from services.cli.registry import definition_of, settings_type
from shared.messaging.topology import FRAME_BYTES, MESSAGE_BYTES
from shared.runtime.clusters import load_clusters
from tests.support.connections import most_connections

FOLDER = Path(__file__).parents[3] / "deploy" / "kubernetes"
OVERLAYS = ["base", "overlays/example"]
SCHEMAS = json.loads((Path(__file__).parents[2] / "data" / "kubernetes" / "schemas.json").read_text())
KUBECTL = shutil.which("kubectl")

CUSTOM = {
    "RabbitmqCluster": (
        "rabbitmq.com/v1beta1",
        {
            "image", "replicas", "persistence", "resources", "tls", "rabbitmq", "affinity",
            "terminationGracePeriodSeconds",
        },
    ),
    "Cluster": (
        "postgresql.cnpg.io/v1",
        {
            "imageName", "instances", "enableSuperuserAccess", "postgresql", "storage", "walStorage", "resources",
            "affinity", "plugins",
        },
    ),
    "ScheduledBackup": (
        "postgresql.cnpg.io/v1",
        {"schedule", "backupOwnerReference", "cluster", "method", "pluginConfiguration"},
    ),
    "ObjectStore": ("barmancloud.cnpg.io/v1", {"retentionPolicy", "configuration"}),
    "ScaledObject": (
        "keda.sh/v1alpha1",
        {"scaleTargetRef", "pollingInterval", "cooldownPeriod", "minReplicaCount", "maxReplicaCount", "triggers"},
    ),
    "TriggerAuthentication": ("keda.sh/v1alpha1", {"secretTargetRef"}),
    "Issuer": ("cert-manager.io/v1", {"selfSigned", "ca"}),
    "Certificate": (
        "cert-manager.io/v1",
        {"isCA", "commonName", "secretName", "duration", "privateKey", "issuerRef", "dnsNames"},
    ),
}  # fmt: skip
"""Kinds of the engines that we stand on, and the fields of theirs that we use, each looked up in its documentation."""

THEIRS = {
    "traboule-broker-tls": {"ca.crt"},
    "traboule-database-ca": {"ca.crt"},
    "traboule-database-superuser": {"username", "password"},
    "traboule-broker-default-user": {"username", "password"},
    "traboule-object-store": {"access-key-id", "secret-access-key"},
}
"""Secrets that the engines make, or the operator, and their keys: as deploy/kubernetes/README.md lists them."""


OPS = "traboule-ops"
MADE_INSIDE = {"traboule-authority"}
"""Of cert-manager, for cert-manager."""


@pytest.fixture(scope="module", params=OVERLAYS)
def built(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    if KUBECTL is None:
        pytest.skip("kubectl is not installed: the manifests cannot be built")
    done = subprocess.run([KUBECTL, "kustomize", str(FOLDER / request.param)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "deprecated" not in done.stderr
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def of_kind(built: list[dict[str, Any]], *kinds: str) -> list[dict[str, Any]]:
    return [item for item in built if item["kind"] in kinds]


def pods(built: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each program's pod template, by its name."""
    return {item["metadata"]["name"]: item["spec"]["template"] for item in of_kind(built, "Deployment", "Job")}


def deployed_services(built: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The services' Deployments: not that in which operators' commands run."""
    return [item for item in of_kind(built, "Deployment") if item["metadata"]["name"] != OPS]


def containers(built: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, template in pods(built).items():
        for item in [*template["spec"].get("initContainers", []), *template["spec"]["containers"]]:
            yield name, item


def test_every_object_is_one_that_its_kind_allows(built: list[dict[str, Any]]) -> None:
    for item in built:
        kind, name = item["kind"], item["metadata"]["name"]
        if kind in SCHEMAS["kinds"]:
            schema = {"$ref": f"#/$defs/{SCHEMAS['kinds'][kind]}", "$defs": SCHEMAS["$defs"]}
            faults = [
                f"{name}: {fault.json_path}: {fault.message}"
                for fault in jsonschema.Draft202012Validator(schema).iter_errors(item)
            ]
            assert faults == []
        else:
            version, fields = CUSTOM[kind]
            assert item["apiVersion"] == version
            assert set(item["spec"]) <= fields, name


def test_an_unknown_field_would_be_found() -> None:
    schema = {"$ref": f"#/$defs/{SCHEMAS['kinds']['Deployment']}", "$defs": SCHEMAS["$defs"]}
    wrong = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "x"}, "spec": {"replica": 2}}
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(wrong))


def test_the_four_services_and_what_prepares_them_are_there(built: list[dict[str, Any]]) -> None:
    assert set(pods(built)) == {*(f"traboule-{service}" for service in SERVICES), "traboule-prepare", OPS}
    for service in SERVICES:
        (own,) = pods(built)[f"traboule-{service}"]["spec"]["containers"]
        assert own["args"] == ["serve", service]
        (before,) = pods(built)[f"traboule-{service}"]["spec"]["initContainers"]
        assert before["args"] == ["migrate", service, "--check"]


def test_no_program_has_a_right_that_it_does_not_need(built: list[dict[str, Any]]) -> None:
    for template in pods(built).values():
        spec = template["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["runAsUser"] == 10001
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
        assert not any("hostPath" in volume for volume in spec["volumes"])
    for name, item in containers(built):
        assert item["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, name


def test_images_are_pinned_and_every_program_has_its_share(built: list[dict[str, Any]]) -> None:
    images = [item["image"] for _, item in containers(built)]
    images += [
        item["spec"].get("image") or item["spec"]["imageName"] for item in of_kind(built, "RabbitmqCluster", "Cluster")
    ]
    for image in images:
        assert re.search(r":\d+\.\d+[\w.-]*$|@sha256:[0-9a-f]{64}$", image), image
    for name, item in containers(built):
        assert set(item["resources"]["requests"]) == {"cpu", "memory", "ephemeral-storage"}, name
        assert set(item["resources"]["limits"]) == {"memory", "ephemeral-storage"}, name


def test_services_are_probed_and_given_time_to_settle(built: list[dict[str, Any]]) -> None:
    from shared.runtime.health import health_routes

    async def none() -> dict[str, bool]:
        return {}

    paths = {route.path for route in health_routes(none)}
    for service in deployed_services(built):
        (own,) = service["spec"]["template"]["spec"]["containers"]
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            assert own[probe]["httpGet"]["path"] in paths
        # A restart would mend neither the database nor the broker.
        assert own["livenessProbe"]["httpGet"]["path"] == "/health/live"
        assert own["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_every_variable_is_one_that_the_program_reads(built: list[dict[str, Any]]) -> None:
    known = {"TRABOULE_TLS_CA_FILE", "TRABOULE_CLUSTERS_FILE"}
    known |= {"TRABOULE_DATABASE_URL", "TRABOULE_BROKER_URL", "TRABOULE_BROKER_MANAGEMENT_URL", PUBLIC}
    for service in SERVICES:
        settings = settings_type(service)
        known |= {f"TRABOULE_{service.upper()}_{name.upper()}" for name in settings.model_fields}
    for name, item in containers(built):
        for variable in item["env"]:
            written = variable["name"]
            # An administrator of the broker is in no process that others reach.
            assert written != "TRABOULE_BROKER_MANAGEMENT_URL" or name in (OPS, "traboule-prepare")
            if written.startswith("TRABOULE_"):
                assert written in known or written.removesuffix("_FILE") in known, (name, written)
                assert not re.search(r"://[^$/]*:[^$@/]+@", str(variable.get("value"))), "a password in a manifest"


def test_every_file_that_a_variable_names_is_mounted(built: list[dict[str, Any]]) -> None:
    for name, item in containers(built):
        mounts = [mount["mountPath"] for mount in item["volumeMounts"]]
        for variable in item["env"]:
            if variable["name"].endswith("_FILE"):
                assert any(variable["value"].startswith(f"{mount}/") for mount in mounts), (name, variable)
        volumes = {volume["name"] for volume in pods(built)[name]["spec"]["volumes"]}
        assert {mount["name"] for mount in item["volumeMounts"]} <= volumes


def test_every_secret_is_one_that_is_made_or_told_of(built: list[dict[str, Any]]) -> None:
    ours = {made["metadata"]["name"]: set(made["stringData"]) for made in map(secrets.secret, SERVICES)}
    known = THEIRS | ours
    text = (FOLDER / "README.md").read_text("utf-8")
    for name, key in references(built):
        assert name in known, name
        assert key is None or key in known[name], (name, key)
        assert name in text or name in ours, f"{name} is not in deploy/kubernetes/README.md"
    assert of_kind(built, "Secret") == []


def test_services_and_keda_find_the_broker_by_a_name_that_its_certificate_has(built: list[dict[str, Any]]) -> None:
    for service in SERVICES:
        address = urlsplit(secrets.secret(service)["stringData"]["broker-url"])
        # KEDA asks from another namespace, so the name must say in which the broker is.
        name, namespace, kind = str(address.hostname).split(".")
        assert (name, kind, address.port) == ("traboule-broker", "svc", 5671)
        for certificate in of_kind(built, "Certificate"):
            if certificate["spec"]["secretName"] == "traboule-broker-tls":
                assert address.hostname in certificate["spec"]["dnsNames"]
        for item in of_kind(built, "RabbitmqCluster"):
            assert item["metadata"]["name"] == name
            assert item["metadata"].get("namespace", namespace) == namespace
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(built, "NetworkPolicy")}
    keda = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}
    assert any(
        keda in rule["from"] and {"port": 5671} in rule["ports"] for rule in policies["traboule-broker"]["ingress"]
    )


def references(tree: Any) -> Iterator[tuple[str, str | None]]:
    """Each Secret that is referred to, with the key."""
    if isinstance(tree, list):
        for entry in tree:
            yield from references(entry)
    elif isinstance(tree, dict):
        if "secretName" in tree and "items" in tree:
            yield from ((tree["secretName"], item["key"]) for item in tree["items"])
        elif "secretName" in tree and tree["secretName"] not in MADE_INSIDE and "issuerRef" not in tree:
            yield tree["secretName"], None
        for name in ("secretKeyRef", "accessKeyId", "secretAccessKey"):
            if name in tree:
                yield tree[name]["name"], tree[name]["key"]
        for entry in tree.get("secretTargetRef", []):
            yield entry["name"], entry["key"]
        for value in tree.values():
            yield from references(value)


def test_a_service_has_its_own_secret_and_no_other(built: list[dict[str, Any]]) -> None:
    for service in SERVICES:
        volumes = pods(built)[f"traboule-{service}"]["spec"]["volumes"]
        own = {v["secret"]["secretName"] for v in volumes if "secret" in v and "items" not in v["secret"]}
        assert own == {f"traboule-{service}"}
        keys = {v["secret"]["items"][0]["key"] for v in volumes if "items" in v.get("secret", {})}
        assert keys == {"ca.crt"}, "the broker's key is no service's"


def test_selectors_find_their_own_pods_and_no_others(built: list[dict[str, Any]]) -> None:
    for service in deployed_services(built):
        labels = service["spec"]["template"]["metadata"]["labels"]
        own = service["metadata"]["name"].removeprefix("traboule-")
        assert service["spec"]["selector"]["matchLabels"] == labels
        assert labels["app.kubernetes.io/component"] == own
        for spread in service["spec"]["template"]["spec"]["topologySpreadConstraints"]:
            assert spread["labelSelector"]["matchLabels"] == labels
        budget = next(
            b for b in of_kind(built, "PodDisruptionBudget") if b["metadata"]["name"] == service["metadata"]["name"]
        )
        assert budget["spec"]["selector"]["matchLabels"] == labels
    (gateway,) = (item for item in of_kind(built, "Service") if item["metadata"]["name"] == "traboule-membership")
    assert gateway["spec"]["selector"]["app.kubernetes.io/component"] == "membership"


def test_what_scales_is_told_by_queues_that_there_are_and_membership_does_not(built: list[dict[str, Any]]) -> None:
    scaled = {item["metadata"]["name"]: item["spec"] for item in of_kind(built, "ScaledObject")}
    assert set(scaled) == {"traboule-billing", "traboule-events", "traboule-communications"}
    for name, spec in scaled.items():
        service = name.removeprefix("traboule-")
        queues = {subscription.queue_name for subscription in definition_of(service).subscriptions}
        assert {trigger["metadata"]["queueName"] for trigger in spec["triggers"]} <= queues
        assert spec["scaleTargetRef"]["name"] == name
        assert spec["minReplicaCount"] >= 2
        assert all(isinstance(value, str) for t in spec["triggers"] for value in t["metadata"].values())
    for item in deployed_services(built):
        # A number in the manifest would undo KEDA's with every apply.
        assert ("replicas" in item["spec"]) is (item["metadata"]["name"] == "traboule-membership")


def test_replicas_stay_within_the_broker_users_and_the_databases_connections(built: list[dict[str, Any]]) -> None:
    from shared.messaging.topology import SERVICE_LIMITS

    most = {item["metadata"]["name"]: item["spec"]["maxReplicaCount"] for item in of_kind(built, "ScaledObject")}
    most["traboule-membership"] = 2
    database = 0
    for service in SERVICES:
        # One more while a new version is rolled out.
        replicas = most[f"traboule-{service}"] + 1
        assert replicas * 4 <= SERVICE_LIMITS["max-connections"]
        lanes = len(definition_of(service).subscriptions)
        assert replicas * (lanes + 6) <= SERVICE_LIMITS["max-channels"]
        database += replicas * most_connections(service)
    (cluster,) = of_kind(built, "Cluster")
    allowed = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    assert database < allowed, f"{database} connections at most, {allowed} allowed"


def test_operators_commands_have_what_the_job_has_and_find_every_service(built: list[dict[str, Any]]) -> None:
    def given(name: str) -> dict[str, Any]:
        (own,) = pods(built)[name]["spec"]["containers"]
        return {item["name"]: item for item in own["env"]}

    ops = given(OPS)
    assert {name: ops[name] for name in given("traboule-prepare")} == given("traboule-prepare")
    gateways = {item["metadata"]["name"]: item["spec"]["ports"][0]["port"] for item in of_kind(built, "Service")}
    for service in SERVICES:
        host = ops[f"TRABOULE_{service.upper()}_HTTP_HOST"]["value"]
        assert str(gateways[host]) == ops[f"TRABOULE_{service.upper()}_HTTP_PORT"]["value"]
    (deployment,) = (item for item in of_kind(built, "Deployment") if item["metadata"]["name"] == OPS)
    assert deployment["spec"]["replicas"] == 0, "nobody needs it now, and it holds every right"
    (claim,) = of_kind(built, "PersistentVolumeClaim")
    (own,) = pods(built)[OPS]["spec"]["containers"]
    disks = {item["name"]: item["persistentVolumeClaim"]["claimName"] for item in pods(built)[OPS]["spec"]["volumes"]
             if "persistentVolumeClaim" in item}  # fmt: skip
    assert [disks[item["name"]] for item in own["volumeMounts"] if item["mountPath"] == "/files"] == [
        claim["metadata"]["name"]
    ]
    if any(item["metadata"]["name"] == "traboule-broker-outside" for item in of_kind(built, "Service")):
        (certificate,) = (
            item["spec"]
            for item in of_kind(built, "Certificate")
            if item["spec"]["secretName"] == "traboule-broker-tls"
        )
        assert urlsplit(ops[PUBLIC]["value"]).hostname in certificate["dnsNames"]


def test_all_but_the_job_and_the_services_can_be_applied_before_a_restore(built: list[dict[str, Any]]) -> None:
    match = re.search(r"--selector '(\S+) notin \((.+)\)'", (FOLDER / "README.md").read_text("utf-8"))
    assert match is not None
    left_out = match[2].split(", ")
    # Kubernetes' `notin` takes what has no such label, too.
    applied = [item for item in built if item["metadata"].get("labels", {}).get(match[1]) not in left_out]
    assert set(pods(applied)) == {OPS}
    assert {"RabbitmqCluster", "Cluster", "NetworkPolicy", "PersistentVolumeClaim"} <= {
        item["kind"] for item in applied
    }


def test_only_who_manages_the_broker_reaches_its_management(built: list[dict[str, Any]]) -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(built, "NetworkPolicy")}
    who = policies["traboule-administrators"]["podSelector"]
    assert who["matchExpressions"][0]["values"] == ["prepare", "ops"]
    (let_in,) = (rule for rule in policies["traboule-broker"]["ingress"] if {"port": 15671} in rule.get("ports", []))
    assert let_in["from"] == [{"podSelector": who}]
    ops = pods(built)[OPS]["metadata"]["labels"]
    assert policies["traboule-ops"]["podSelector"]["matchLabels"] == ops
    assert {"from": [{"podSelector": {"matchLabels": ops}}], "ports": [{"port": 8000}]} in policies[
        "traboule-programs"
    ]["ingress"]


def test_the_network_is_closed_but_for_what_is_needed(built: list[dict[str, Any]]) -> None:
    policies = {item["metadata"]["name"]: item["spec"] for item in of_kind(built, "NetworkPolicy")}
    everything = policies["traboule-programs"]
    assert everything["podSelector"] == {"matchLabels": {"app.kubernetes.io/part-of": "traboule"}}
    assert everything["policyTypes"] == ["Ingress", "Egress"]
    for template in pods(built).values():
        assert template["metadata"]["labels"]["app.kubernetes.io/part-of"] == "traboule"
    for spec in policies.values():
        for rule in [*spec.get("ingress", []), *spec.get("egress", [])]:
            assert rule.get("from") or rule.get("to"), "a rule without a peer lets everybody in"
    assert policies["traboule-nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for name in ("traboule-broker", "traboule-database"):
        own, spec = policies[name]["podSelector"], policies[name]
        assert spec["policyTypes"] == ["Ingress", "Egress"]
        # Its own nodes, the name service, and for the database two ports of whoever is outside.
        assert {"to": [{"podSelector": own}]} in spec["egress"]
        open_to_all = [rule for rule in spec["egress"] if "0.0.0.0/0" in str(rule)]
        assert [rule["ports"] for rule in open_to_all] == [[{"port": 443}, {"port": 6443}]] * (name[9:] == "database")
    ports = {port["port"] for rule in policies["traboule-broker"]["ingress"] for port in rule.get("ports", [])}
    assert 5672 not in ports, "nothing in the clear"


def test_the_engines_keep_three_copies_on_three_machines(built: list[dict[str, Any]]) -> None:
    (broker,), (database,) = of_kind(built, "RabbitmqCluster"), of_kind(built, "Cluster")
    assert broker["spec"]["replicas"] == 3
    assert broker["spec"]["tls"]["disableNonTLSListeners"] is True
    assert "requiredDuringSchedulingIgnoredDuringExecution" in broker["spec"]["affinity"]["podAntiAffinity"]
    lines = broker["spec"]["rabbitmq"]["additionalConfig"].splitlines()
    # The job may come while one node is up; what it declares then must not stay on that node alone.
    settings = dict(line.split(" = ") for line in lines if line and not line.startswith("#"))
    assert settings["max_message_size"] == str(MESSAGE_BYTES)
    assert settings["frame_max"] == str(FRAME_BYTES)
    assert settings["quorum_queue.initial_cluster_size"] == "3"
    assert settings["quorum_queue.continuous_membership_reconciliation.enabled"] == "true"
    assert settings["quorum_queue.continuous_membership_reconciliation.target_group_size"] == "3"
    assert database["spec"]["instances"] == 3
    assert database["spec"]["postgresql"]["synchronous"] == {"method": "any", "number": 1}


def test_the_examples_clusters_can_be_read() -> None:
    assert set(load_clusters(FOLDER / "overlays/example/clusters.toml")) >= {"clustr-numerique", "numelink"}


def test_the_examples_issuers_can_be_read_and_billing_and_operators_are_given_them() -> None:
    example = FOLDER / "overlays/example"
    assert "merged" in load_issuers(example / "issuers.toml", load_clusters(example / "clusters.toml"))
    kustomization = yaml.safe_load((example / "kustomization.yaml").read_text())
    assert "issuers.toml" in kustomization["configMapGenerator"][0]["files"]
    [patch] = [each for each in kustomization["patches"] if "TRABOULE_BILLING_ISSUERS_FILE" in each.get("patch", "")]
    assert all(re.fullmatch(patch["target"]["name"], name) for name in ("traboule-billing", OPS))
