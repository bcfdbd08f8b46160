"""What operators may apply and reach in a Kubernetes cluster."""

import re
from typing import Any
from urllib.parse import urlsplit

from services import SERVICES
from services.cli.former_systems.address import PUBLIC
from tests.unit.deploy.kubernetes.objects import FOLDER, OPS, of_kind, pods


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
