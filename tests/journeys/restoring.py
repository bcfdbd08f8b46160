"""A year of work, and everything that must be the same after a restore."""

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from deploy.local.nodes import Nodes
from schemas.base import Fact
from schemas.commands import ChangeMember
from schemas.envelope import encode, routing_key, source_of
from shared.messaging.topology import STAFF, way_back_queue
from tests.support.command import Answer, traboule
from tests.support.servers import publish_as, query

SIREN = "552100554"
SYSTEM = "numelink/membership"
MEMBER_RECORDED = "membership.member-recorded"
WAY_BACK = way_back_queue("numelink", "membership").name


# What depends on the way there is left out: when something was heard, and how often it was told.
RELATED = """
    select kind, cluster, item_id, record_id, event_id, version, digest, document::text from related
    where kind not in ('account', 'participation', 'preferences')
    union all
    select kind, cluster, item_id, record_id, event_id, null, null, (document::jsonb - 'version')::text from related
    where kind in ('account', 'participation', 'preferences')
"""
"""A section is numbered by how often it was announced."""
COMPARED: Mapping[str, Mapping[str, str]] = {
    "membership": {
        "views": "select member_id, document, etag, sort_key, paid_until from views",
        "source_records": "select * from source_records",
        "record_history": "select cluster, record_id, version, what, fields from record_history",
        "record_changes": "select cluster, record_id, version, command, author, reason, fields from record_changes",
        "related": RELATED,
        "decisions": "select id, author, reason, decided_at, taken_back_at from decisions",
        "conflicts": "select conflict_id, member_id, digest, gone_at is null from merge_conflicts",
        "answers": "select * from conflict_answers",
        "stages": "select * from stages",
        "former systems": "select * from former_systems",
        "quarantine": "select cluster, epoch, message_id, body, state from quarantine",
    },
    "billing": {
        "invoices": "select * from invoices",
        "payments": "select * from payments",
        "members": "select cluster, record_id, member_id from member_records",
        "conflicts": "select conflict_id, member_id, held_twice, state, owner, answers, raised_at from merge_conflicts",
    },
    "events": {
        "events": "select * from events",
        "registrations": "select * from registrations",
        "members": "select cluster, record_id, member_id from member_records",
    },
    "communications": {
        "consents": "select * from consents",
        "mailings": "select * from mailings",
        "recipients": "select * from recipients",
        "members": "select cluster, record_id, member_id from member_records",
    },
}


async def everything(env: Mapping[str, str]) -> dict[str, list[str]]:
    """Every row that must be the same, by service and what it is."""
    return {
        f"{service}: {what}": sorted(str(tuple(row.values())) for row in await query(env, service, sql))
        for service, statements in COMPARED.items()
        for what, sql in statements.items()
    }


class FormerSystems:
    """They publish, and remember what they did, to publish it again."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.said: list[tuple[str, list[Fact]]] = []

    async def write(self, user: str, *facts: Fact) -> None:
        await publish_as(self.env, user, list(facts))
        self.said.append((user, list(facts)))

    async def publish_again(self, env: Mapping[str, str]) -> None:
        for user, facts in self.said:
            await publish_as(env, user, facts)


async def command(env: Mapping[str, str], record_id: str, **fields: Any) -> None:
    """What staff tools publish."""
    member = ChangeMember.model_validate(
        {
            "cluster": "numelink",
            "record_id": record_id,
            "author": "zoé",
            "reason": "told by phone",
            "expected_version": 1,
            "fields": fields,
        }
    )
    encoded = encode(source_of(STAFF, "membership"), [member])
    user = f"{STAFF}.membership"
    await publish_as(env, user, encoded.body, key=routing_key(STAFF, ChangeMember), message_id=encoded.message_id)


@contextmanager
def environment(env: Mapping[str, str], nodes: Nodes) -> Generator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**env, **nodes.environment()}.items():
            patch.setenv(name, value)
        yield patch


async def well(*words: str) -> Answer:
    answer = await traboule(*words)
    assert answer.exit_code == 0, (words, answer.out, answer.err)
    return answer
