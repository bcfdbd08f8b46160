"""From the public page to a seat and back: two processes, one broker, and HTTP at the front."""

from collections.abc import AsyncIterator
from dataclasses import replace
from secrets import token_hex

import httpx2
import pytest

from deploy.local.local_services import LocalServices
from schemas.objections import link_digest
from services.events.public.links import new_token
from shared.persistence.database import create_engine
from tests.support.billing import Billing
from tests.support.events import CLUSTER, LATER, Events
from tests.support.pages import fields_of, forms_of, headings_of
from tests.support.waiting import eventually


@pytest.fixture
async def events(stack: LocalServices) -> AsyncIterator[Events]:
    """The database of the events service that runs; its stages are as before at the end."""
    engine = create_engine(stack.env["TRABOULE_EVENTS_DATABASE_URL"], application="test", pool_size=2)
    events = Events(engine)
    yield replace(events, public_url="https://adhesion.example")
    await events.run("delete from stages where by = 'test'")
    await engine.dispose()


async def test_a_form_gives_a_seat_and_a_link_gives_it_back(stack: LocalServices, events: Events) -> None:
    session = await events.session(capacity=2, key=token_hex(8))
    async with httpx2.AsyncClient(base_url=stack.url("membership")) as client:
        page = await client.get(f"/p/e/{session}")
        assert (page.status_code, headings_of(page.text)) == (200, ["Petit-déjeuner", "S'inscrire"])
        assert "2 places libres" in page.text
        form = fields_of(page.text) | {"email": "zoe@example.fr", "name1": "Zoé Müller"}
        for _ in range(2):
            assert (await client.post(f"/p/e/{session}", data=form)).status_code == 200

        async def seated() -> bool:
            return await events.states(session) == [("Zoé Müller", "registered")]

        await eventually(seated)
        assert "1 place libre" in (await client.get(f"/p/e/{session}")).text

        feed = await client.get(f"/p/feed/{CLUSTER}.ics")
        assert f"UID:{session}@" in feed.text
        same = await client.get(f"/p/feed/{CLUSTER}.ics", headers={"if-none-match": feed.headers["etag"]})
        assert (same.status_code, same.content) == (304, b"")

        path = f"/p/r/{await _linked(events, session)}"
        page = await client.get(path)
        assert "vous avez 1 place" in page.text
        [cancelling] = [form for form in forms_of(page.text) if form["act"] == "cancel"]
        assert (await client.post(path, data=cancelling)).status_code == 200

        async def cancelled() -> bool:
            return "est annulée" in (await client.get(path)).text

        await eventually(cancelled)
        assert (await client.get(f"/p/r/{new_token()}")).status_code == 404


async def _linked(events: Events, session: str) -> str:
    """The token of a link of the session's only registration, as if it had been mailed."""
    token = new_token()
    await events.run(
        "insert into links (digest, booking_id, at) "
        "select $1, booking_id, now() from bookings where session_id = $2::uuid",
        bytes.fromhex(link_digest(token)),
        session,
    )
    return token


async def test_what_a_seat_costs_reaches_billing_and_what_was_billed_comes_back(
    stack: LocalServices, events: Events
) -> None:
    await events.stage("live")
    planned = await events.ask(
        "plan-gathering",
        cluster=CLUSTER,
        key=token_hex(8),
        title="Dîner annuel",
        guest_price="55.00",
        sessions=[{"starts": LATER.strftime("%Y-%m-%dT%H:%M"), "zone": "UTC"}],
    )
    registration = await events.register(planned["sessions"][0]["session_id"], "Zoé")
    engine = create_engine(stack.env["TRABOULE_BILLING_DATABASE_URL"], application="test", pool_size=1)
    billing = Billing(engine, {})
    charge = {"registration_id": registration["registration_id"], "reference": "espèces"}

    async def settled() -> bool:
        return (await billing.result("settle-charge", charge)).outcome == "done"

    await eventually(settled)
    await engine.dispose()

    async def billed() -> bool:
        shown = await events.ask("registration", registration_id=registration["registration_id"])
        return (shown["billed"], shown["billed_by"]) == ("55.00", ["espèces"])

    await eventually(billed)
