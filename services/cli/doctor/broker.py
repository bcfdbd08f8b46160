"""What is defined on the broker, who has which rights, and how its nodes are, by its management API."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.cli.cutover import operations
from services.cli.doctor import certificates as doctor_certificates
from services.cli.doctor import nodes as doctor_nodes
from services.cli.doctor import queues as doctor_queues
from services.cli.doctor import replicas as doctor_replicas
from services.cli.doctor.findings import PREPARE, Finding, Findings
from services.cli.former_systems import table
from services.cli.registry import definition_of
from shared.cli.errors import CannotAct, Unreachable
from shared.messaging import broker_version
from shared.messaging.accounts import MANAGEMENT, Account, RightsError, differences, intended, read_accounts, vhost_of
from shared.messaging.management import Management, ManagementError, path
from shared.messaging.topology import OWN_PUBLISHER, definitions
from shared.runtime.clusters import ClustersFileError, load_clusters
from shared.runtime.settings import ServiceSettings
from shared.runtime.tls import address

Items = list[dict[str, Any]]

_HARMFUL = ("expires", "message-ttl", "overflow")
"""What a policy must not say of a queue of ours: it would go, or drop what it holds."""
_EXCHANGE_OTHERWISE = (
    "its properties cannot be changed: while nobody publishes, delete it on the management pages (its bindings go with "
    f"it), and {PREPARE}"
)
_WITHOUT_LEADER = (
    "start the nodes that are down. If all run: make room on the disk and restart them; if there is none even then: "
    "what BrokerAlarm in deploy/observability/RUNBOOK.md says"
)


async def examine(services: Mapping[str, ServiceSettings]) -> list[Finding]:
    """All that an administrator's address of the management API lets us see."""
    findings = Findings("broker")
    vhosts = {vhost_of(service.broker_url) for service in services.values()}
    if len(vhosts) > 1:
        detail = f"the services are in several virtual hosts, and cannot hear each other: {', '.join(sorted(vhosts))}"
        return [findings.fail("virtual host", detail, "mend TRABOULE_<SERVICE>_BROKER_URL")]
    url = address(MANAGEMENT)
    if url is None:
        detail = "definitions, rights and nodes were not looked at"
        return [findings.warn("management API", detail, f"set {MANAGEMENT}, with an administrator in it")]
    try:
        load_clusters(next(iter(services.values())).clusters_file)
    except ClustersFileError:
        return []  # told by whoever looks at the file
    stages = await _stages(services)
    try:
        return await asyncio.to_thread(_look, findings, url, vhosts.pop(), services, stages)
    except (ManagementError, RightsError) as error:
        return [findings.fail("management API", str(error), f"is {MANAGEMENT} right, and its user an administrator?")]


async def _stages(services: Mapping[str, ServiceSettings]) -> dict[str, str | None]:
    """Each former system and staff tool; the stage is None where the database does not answer."""
    clusters = load_clusters(next(iter(services.values())).clusters_file)
    known: dict[str, str] = {}
    for name, settings in services.items():
        try:
            known |= {row["system"]: row["stage"] for row in await operations.board({name: settings}, clusters)}
        except (Unreachable, CannotAct):
            continue
    return {system: known.get(system) for system in table.outside(clusters, services)}


def _look(
    report: Findings, url: str, vhost: str, services: Mapping[str, ServiceSettings], stages: Mapping[str, str | None]
) -> list[Finding]:
    broker = Management(url)
    known = read_accounts(broker, vhost)
    users = [system.replace("/", ".") for system in stages]
    # Who was never let in is told below; who was revoked may have lost its queue too.
    let_in = [user for user in users if user in known and known[user].in_vhost and not known[user].rights.none]
    queues = [subscription.queue for name in services for subscription in definition_of(name).subscriptions]
    wanted = definitions(queues, dict.fromkeys(services, ""), dict.fromkeys(let_in, ""), vhost=vhost)
    theirs, nodes = broker.call("GET", path("queues", vhost)), broker.call("GET", "/api/nodes")
    bindings = broker.call("GET", path("bindings", vhost))
    return [
        *doctor_certificates.of_server(report, "management API's certificate", url),
        _version(report, broker, let_in),
        *doctor_nodes.examine(report, nodes),
        *_exchanges(report, wanted["exchanges"], broker.call("GET", path("exchanges", vhost))),
        *_queues(report, wanted["queues"], theirs),
        *doctor_replicas.examine(report, theirs, len(nodes)),
        *doctor_queues.dead_lettering(report, broker, vhost, theirs),
        *doctor_queues.room(report, broker, vhost, theirs, bindings),
        *_bindings(report, wanted["bindings"], bindings),
        *_policies(report, wanted, theirs, broker.call("GET", path("policies", vhost))),
        *_services(report, services, known),
        *_outside(report, stages, known),
    ]


def _version(report: Findings, broker: Management, former: Sequence[str]) -> Finding:
    version = broker_version.version_of(broker)
    if not broker_version.is_old(version):
        return report.ok("version", f"RabbitMQ {version}")
    if broker_version.is_private(broker):
        return report.ok("version", f"RabbitMQ {version}, a private node: elsewhere former systems need 4.0 or newer")
    detail = f"RabbitMQ {version} is too old for former systems: {broker_version.WHY}"
    if former:
        return report.fail("version", detail, "upgrade it to 4.0 or newer; until then revoke whom you do not trust")
    return report.warn("version", detail, "upgrade it to 4.0 or newer before the first of them is let in")


# --- definitions ---------------------------------------------------------------------------------------------------


def _exchanges(report: Findings, wanted: Items, theirs: Items) -> list[Finding]:
    known = {exchange["name"]: exchange for exchange in theirs}
    missing = [f"there is no exchange {document['name']}" for document in wanted if document["name"] not in known]
    documents = [document for document in wanted if document["name"] in known]
    otherwise = [
        report.fail(
            "exchanges", f"the exchange {document['name']} is otherwise: {', '.join(other)}", _EXCHANGE_OTHERWISE
        )
        for document in documents
        if (other := _other(document, known[document["name"]], ("type", "durable", "internal")))
    ]
    detail = f"{len(documents) - len(otherwise)} are as they should be"
    return [*report.judged("exchanges", missing, PREPARE, detail), *otherwise]


def _queues(report: Findings, wanted: Items, theirs: Items) -> Iterator[Finding]:
    known = {queue["name"]: queue for queue in theirs}
    missing = [f"there is no queue {document['name']}" for document in wanted if document["name"] not in known]
    documents = [document for document in wanted if document["name"] in known]
    yield from report.judged("definitions of queues", missing, PREPARE, f"{len(documents)} are there")
    for item in documents:
        if other := _other(item, known[item["name"]], ("durable",)):
            mend = "its arguments cannot be changed: empty it, delete it while its service is stopped, and " + PREPARE
            yield report.fail("definitions of queues", f"{item['name']} is otherwise: {', '.join(other)}", mend)
    dead = [
        document["name"]
        for document in documents
        if known[document["name"]].get("type") == "quorum" and not known[document["name"]].get("leader")
    ]
    if dead:
        detail = (
            f"{dead[0]}{f' and {len(dead) - 1} more' if dead[1:] else ''} have no leader: nobody can read or write them"
        )
        yield report.fail("leaders of queues", detail, _WITHOUT_LEADER)
    ours = {document["name"] for document in wanted}
    for name, item in sorted(known.items()):
        # What was a subscription once, or belongs to a service or a former system that is not looked at, stays quiet.
        if name not in ours and item.get("messages") and not item.get("consumers"):
            detail = f"{name} is none of ours, holds {item['messages']:,} messages, and nobody reads it"
            yield report.warn("other queues", detail, f"if nobody needs it: rabbitmqctl delete_queue {name}")


def _other(wanted: Mapping[str, Any], theirs: Mapping[str, Any], names: Iterable[str]) -> list[str]:
    """What is not as wanted, of these properties and of all arguments."""
    unlike = [f"{name} is {theirs.get(name)}" for name in names if name in wanted and theirs.get(name) != wanted[name]]
    arguments = theirs.get("arguments") or {}
    return unlike + [
        f"{name} is {arguments.get(name)}, should be {value}"
        for name, value in wanted["arguments"].items()
        if arguments.get(name) != value
    ]


def _bindings(report: Findings, wanted: Items, theirs: Items) -> Iterator[Finding]:
    known = {_binding(binding) for binding in theirs}
    missing = sorted({_binding(document) for document in wanted} - known)
    problems = [f"{source} does not give {key or 'what it gets'} to {queue}" for source, queue, key in missing]
    yield from report.judged("bindings", problems, PREPARE, f"{len(wanted)} are there")
    should: defaultdict[str, set[tuple[str, str, str]]] = defaultdict(set)
    for binding in wanted:
        should[binding["destination"]].add(_binding(binding))
    for binding in theirs:
        source, queue, key = _binding(binding)
        if source and queue in should and (source, queue, key) not in should[queue]:
            problems = f"{source} gives {key} to {queue}, which does not expect it"
            yield report.warn(
                "bindings", problems, "take the binding away in the management pages: what it brings is parked"
            )


def _binding(document: Mapping[str, Any]) -> tuple[str, str, str]:
    return document["source"], document["destination"], document["routing_key"]


def _policies(report: Findings, wanted: Mapping[str, Items], queues: Items, theirs: Items) -> Iterator[Finding]:
    ours = {document["name"] for document in wanted["queues"]}
    limit = wanted["policies"][0]
    known = next((policy for policy in theirs if policy["name"] == limit["name"]), None)
    if (
        known is None
        or known["pattern"] != limit["pattern"]
        or known["definition"].get("overflow") != limit["definition"]["overflow"]
        or "max-length-bytes" not in known["definition"]
    ):
        detail = (
            f"the policy {limit['name']} is {'missing' if known is None else 'otherwise'}: queues may fill the disk"
        )
        yield report.warn("policies", detail, PREPARE)
    harmful: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for queue in queues:
        effective = queue.get("effective_policy_definition") or {}
        setting = {
            name: effective[name] for name in _HARMFUL if effective.get(name, "reject-publish") != "reject-publish"
        }
        if queue["name"] in ours and setting:
            by = queue.get("operator_policy") or queue.get("policy") or "a policy"
            harmful[by, json.dumps(setting, sort_keys=True)].append(queue["name"])
    wrong = [
        f"{policy} says {setting} of {names[0]}" + (f" and {len(names) - 1} more" if names[1:] else "")
        for (policy, setting), names in harmful.items()
    ]
    mend = "rabbitmqctl clear_policy (or clear_operator_policy): messages of ours would be dropped, or parked unread"
    yield from report.judged("policies", wrong, mend, "none that would drop a message")


# --- rights --------------------------------------------------------------------------------------------------------


def _services(report: Findings, services: Iterable[str], known: Mapping[str, Account]) -> Iterator[Finding]:
    for name in services:
        account = known.get(f"{OWN_PUBLISHER}.{name}")
        if account is None or not account.in_vhost or account.rights.none:
            wrong = ["has no rights here"]
        else:
            wrong = differences(account, intended(account.name))
        problems = (f"{OWN_PUBLISHER}.{name}: {text}" for text in wrong)
        yield from report.judged(
            "rights of services", problems, PREPARE, f"{OWN_PUBLISHER}.{name} may do what it should"
        )


def _outside(report: Findings, stages: Mapping[str, str | None], known: Mapping[str, Account]) -> Iterator[Finding]:
    rows = table.compared(stages, known)
    for row in rows:
        detail = f"{row['system'] or row['user']}: {', '.join(row['differences']) or row['state']}"
        if row["state"] == "missing" and row["wrong"]:
            # A cluster may be declared long before its former system is let in.
            yield report.warn("rights of former systems", detail, table.mends(row))
        elif row["wrong"]:
            yield report.fail("rights of former systems", detail, table.mends(row))
        elif row["state"] == "revoked" and row["stage"] in ("legacy", "mirror"):
            mend = f"{table.mends(row)} --again, if it shall publish again"
            yield report.warn("rights of former systems", f"{detail}, though it is the authority", mend)
    if not any(row["wrong"] for row in rows):
        yield report.ok("rights of former systems", f"{len(rows)} may do what they should")
