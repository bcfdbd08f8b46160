"""A mirrored former system for rehearsals: facts heard as a service hears them, and ``traboule rehearse``."""

from typing import Any

from schemas.base import Announced, Fact
from schemas.envelope import source_of
from services.cli.environment import settings_of
from services.cli.registry import definition_of
from shared.messaging.topology import OWN_PUBLISHER
from tests.support.command import Answer, traboule
from tests.support.merging import envelope, handled
from tests.support.parity import Mirrored

SINCE = ("--since", "2025-01-01")


async def hears(mirrored: Mirrored, *facts: Fact, cluster: str = "numelink") -> None:
    """Each fact goes through its handler, those of our own services as they announce them."""
    subscriptions = definition_of(mirrored.service).subscriptions
    handlers: dict[Any, Any] = {subscription.fact: subscription.handler for subscription in subscriptions}
    unit_of_work = definition_of(mirrored.service).unit_of_work(settings_of(mirrored.service))
    async with mirrored.database.engine() as engine:
        for fact in facts:
            source = source_of(OWN_PUBLISHER if isinstance(fact, Announced) else cluster, fact.service)
            await handled(engine, unit_of_work, handlers[type(fact)], [envelope(fact, source)])


async def in_stage(mirrored: Mirrored, stage: str, cluster: str = "numelink") -> None:
    """The former system stands there."""
    await mirrored.sql(
        f"insert into stages (cluster, stage, epoch, since, by) values ('{cluster}', '{stage}', 1, now(), 'a test') "
        "on conflict (cluster) do update set stage = excluded.stage"
    )


async def rehearse(mirrored: Mirrored, *words: str, ends: int = 0) -> Answer:
    """``traboule rehearse`` of what was done since 2025."""
    answer = await traboule("rehearse", mirrored.system, *SINCE, *words)
    assert answer.exit_code == ends, answer.out + answer.err
    return answer


async def differing(mirrored: Mirrored) -> dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]]:
    """What a rehearsal finds: there and here, by kind and item."""
    result = (await traboule("rehearse", mirrored.system, *SINCE, "--json")).json["differences"]
    assert {item["what"] for item in result} <= {"different"}
    return {(item["kind"], item["item_id"]): (item["there"], item["here"]) for item in result}
