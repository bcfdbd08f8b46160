"""Variables, files and secrets of the Kubernetes manifests: each is read, mounted and made."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import yaml

from deploy.kubernetes import secrets
from services import SERVICES
from services.billing.issuers.file import load_issuers
from services.cli.former_systems.address import PUBLIC
from services.cli.registry import settings_type
from shared.runtime.clusters import load_clusters
from tests.unit.deploy.kubernetes.objects import FOLDER, OPS, containers, of_kind, pods

THEIRS = {
    "traboule-broker-tls": {"ca.crt"},
    "traboule-database-ca": {"ca.crt"},
    "traboule-database-superuser": {"username", "password"},
    "traboule-broker-default-user": {"username", "password"},
    "traboule-object-store": {"access-key-id", "secret-access-key"},
}
"""Secrets that the engines make, or the operator, and their keys: as deploy/kubernetes/README.md lists them."""
MADE_INSIDE = {"traboule-authority"}
"""Of cert-manager, for cert-manager."""


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


def test_the_examples_clusters_can_be_read() -> None:
    assert set(load_clusters(FOLDER / "overlays/example/clusters.toml")) >= {"clustr-numerique", "numelink"}


def test_the_examples_issuers_can_be_read_and_billing_and_operators_are_given_them() -> None:
    example = FOLDER / "overlays/example"
    assert "merged" in load_issuers(example / "issuers.toml", load_clusters(example / "clusters.toml"))
    kustomization = yaml.safe_load((example / "kustomization.yaml").read_text())
    assert "issuers.toml" in kustomization["configMapGenerator"][0]["files"]
    [patch] = [each for each in kustomization["patches"] if "TRABOULE_BILLING_ISSUERS_FILE" in each.get("patch", "")]
    assert all(re.fullmatch(patch["target"]["name"], name) for name in ("traboule-billing", OPS))
