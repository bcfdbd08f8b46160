"""The Kubernetes manifests: built by kustomize without a cluster, and held to Kubernetes' schemas and our own rules."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema

from services import SERVICES
from services.cli.registry import definition_of
from shared.messaging.topology import FRAME_BYTES, MESSAGE_BYTES
from tests.support.connections import most_connections
from tests.unit.deploy.kubernetes.objects import OPS, containers, of_kind, pods

SCHEMAS = json.loads((Path(__file__).parents[3] / "data" / "kubernetes" / "schemas.json").read_text())
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


def deployed_services(built: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The services' Deployments: not that in which operators' commands run."""
    return [item for item in of_kind(built, "Deployment") if item["metadata"]["name"] != OPS]


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
