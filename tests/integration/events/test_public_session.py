"""What everybody may see of a session: only of planned gatherings that are ours, and that are for all."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.events import CLUSTER, LATER, Events

UNKNOWN = "00000000-0000-4000-8000-000000000000"


async def test_a_session_is_shown_with_its_seats_and_without_anybody(events: Events) -> None:
    session = await events.session(capacity=3)
    await events.register(session, "Ada", "Alan")

    shown = await events.ask("public-session", session_id=session)

    assert (shown["gathering"], shown["state"], shown["free"], shown["zone"]) == ("Petit-déjeuner", "open", 1, "UTC")
    assert "Ada" not in str(shown)
    assert "ada@" not in str(shown)


@pytest.mark.parametrize(
    ("session", "state"),
    [
        ({"capacity": None}, "open"),
        ({"capacity": 1}, "waiting-list"),
        ({"capacity": 1, "waiting_list": False}, "session-full"),
        ({"opens_at": LATER - timedelta(days=1)}, "not-open-yet"),
        ({"closes_at": datetime.now(UTC) - timedelta(seconds=1)}, "list-closed"),
    ],
)
async def test_it_says_whether_one_may_register(events: Events, session: dict[str, Any], state: str) -> None:
    session_id = await events.session(**session)
    await events.register(session_id, "Ada", overrule=True)

    assert (await events.ask("public-session", session_id=session_id))["state"] == state


async def test_what_is_not_for_everybody_looks_like_what_does_not_exist(events: Events) -> None:
    session = await events.session()
    cancelled = await events.planned()
    await events.ask("cancel-gathering", gathering_id=cancelled["gathering_id"])
    for_some = (
        await events.ask(
            "plan-gathering",
            cluster=CLUSTER,
            key="members only",
            title="Entre membres",
            visible_to=[CLUSTER],
            sessions=[{"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC"}],
        )
    )["sessions"][0]["session_id"]
    refusals = {
        await events.refusal("public-session", session_id=each)
        for each in (cancelled["sessions"][0]["session_id"], for_some, UNKNOWN)
    }
    assert await events.ask("public-session", session_id=session)
    await events.stage("mirror")
    refusals.add(await events.refusal("public-session", session_id=session))

    assert [kind for kind, _ in refusals] == ["session-unknown"]
