"""The page of a personal link, at a gateway with no broker: events answers as a test says, or is away."""

from typing import Any

import orjson
import pytest

from schemas.events_public import LinkedPerson, LinkedRegistration
from schemas.objections import link_digest
from services.gateway.public import links
from services.gateway.public.limits import RateLimit
from shared.messaging.rpc import Reply
from shared.messaging.rpc_client import RpcClient
from tests.integration.gateway.gateways import NOON
from tests.integration.gateway.test_public_session import a_session
from tests.support.pages import forms_of, headings_of

TOKEN = "abcdefghijklmnopqrstuvwx23"
PATH = f"/p/r/{TOKEN}"
ADA, ALAN = "5f8b1c52-9a7e-4c1d-8e0b-3d2f6a7b9c11", "5f8b1c52-9a7e-4c1d-8e0b-3d2f6a7b9c12"


def a_registration(**more: Any) -> LinkedRegistration:
    usual: dict[str, Any] = {
        "session": a_session(), "called_off": False, "state": "registered", "seats": 2, "offered_until": None,
        "whole": True, "open_to": ["cancel"],
        "people": [
            LinkedPerson(attendee_id=ADA, name="Ada <L>", left=False),
            LinkedPerson(attendee_id=ALAN, name="Alan", left=False),
        ],
    }  # fmt: skip
    return LinkedRegistration.model_validate(usual | more)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let events answer with this registration, or refuse; returns the digests that it was asked about."""
    digests: list[str] = []

    def answer(registration: LinkedRegistration | None) -> list[str]:
        async def ask(_: Any, service: str, body: bytes) -> Reply:
            assert service == "events"
            digests.append(orjson.loads(body)["arguments"]["digest"])
            if registration is None:
                return Reply("refused", orjson.dumps({"kind": "link-unknown", "detail": ""}))
            return Reply("done", registration.model_dump_json().encode())

        monkeypatch.setattr(RpcClient, "ask", ask)
        return digests

    return answer


async def facts(gateway: Any) -> list[dict[str, Any]]:
    async with gateway.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("select routing_key, body from outbox order by id")).all()
    assert {row[0] for row in rows} <= {"traboule.membership.registration-answered"}
    return [orjson.loads(row[1])["data"] for row in rows]


async def test_whoever_ordered_may_cancel_each_or_all(gateway, answered):
    digests = answered(a_registration())
    page = await gateway.client.get(PATH.upper().replace("/P/R/", "/p/r/"))

    assert page.status_code == 200
    assert digests == [link_digest(TOKEN)]
    assert "vous avez 2 places" in page.text
    assert "Ada &lt;L&gt;" in page.text
    assert forms_of(page.text) == [
        {"act": "cancel", "attendee": ADA}, {"act": "cancel", "attendee": ALAN}, {"act": "cancel"},
    ]  # fmt: skip
    assert (page.headers["x-robots-tag"], page.headers["referrer-policy"]) == ("noindex", "no-referrer")
    assert await facts(gateway) == []


async def test_an_offer_is_answered_by_a_button(gateway, answered):
    answered(a_registration(state="offered", seats=1, open_to=["accept", "decline"], offered_until="2027-03-20T11:00Z"))
    page = await gateway.client.get(PATH, params={"lang": "en"})

    assert "We offer you 1 seat. Please answer before Saturday 20 March 2027 at 12:00." in page.text
    assert forms_of(page.text) == [{"act": "accept"}, {"act": "decline"}]
    noted = await gateway.client.post(PATH, data=forms_of(page.text)[0])
    assert (noted.status_code, headings_of(noted.text)) == (200, ["C'est noté"])
    assert await facts(gateway) == [
        {
            "version": int(NOON.timestamp() * 1_000_000),
            "link_digest": link_digest(TOKEN),
            "act": "accept",
            "received_at": "2026-11-23T11:00:00Z",
        }
    ]


async def test_one_person_of_a_registration_is_cancelled(gateway):
    assert (await gateway.client.post(PATH, data={"act": "cancel", "attendee": ALAN})).status_code == 200
    [fact] = await facts(gateway)
    assert (fact["act"], fact["attendee_id"]) == ("cancel", ALAN)
    assert TOKEN not in str(fact)


async def test_who_comes_is_changed_by_a_form_without_a_script(gateway, answered):
    answered(a_registration(open_to=["replace"]))
    page = await gateway.client.get(PATH)
    assert [(form["act"], form["attendee"], form["name"]) for form in forms_of(page.text)] == [
        ("replace", ADA, "Ada <L>"), ("replace", ALAN, "Alan"),
    ]  # fmt: skip
    typed = {"act": "replace", "attendee": ALAN, "name": " Chloé ", "email": "chloe@example.fr", "same": "yes"}
    assert headings_of((await gateway.client.post(PATH, data=typed)).text) == ["C'est noté"]
    [fact] = await facts(gateway)
    assert (fact["person"], fact["same_person"]) == ({"name": "Chloé", "email": "chloe@example.fr"}, True)


@pytest.mark.parametrize("wrong", [{"name": ""}, {"name": "Léa\nBcc: x"}, {"email": "no address"}, {"attendee": "x"}])
async def test_who_comes_is_not_changed_by_what_is_wrong_and_the_page_says_so(gateway, wrong):
    typed = {"act": "replace", "attendee": ALAN, "name": "Chloé", "email": ""} | wrong
    page = await gateway.client.post(PATH, data=typed)
    assert (page.status_code, headings_of(page.text)) == (422, ["Ce nom ou cette adresse ne va pas"])
    assert await facts(gateway) == []


@pytest.mark.parametrize(
    ("registration", "text"),
    [
        ({"state": "waiting"}, "liste d&#39;attente pour 2 places"),
        ({"state": "registered"}, "Il est trop tard pour annuler ici"),
        ({"state": "lapsed"}, "Sans réponse de votre part"),
        ({"state": "cancelled"}, "est annulée"),
        ({"state": "asked"}, "vérifient"),
        ({"called_off": True}, "plus organisée ici"),
    ],
)
async def test_it_says_what_became_of_a_registration_that_nothing_can_be_done_about(
    gateway, answered, registration, text
):
    answered(a_registration(**registration, open_to=[]))
    page = await gateway.client.get(PATH)

    assert text in page.text
    assert "<form" not in page.text


async def test_a_link_that_nobody_was_sent_is_not_valid_any_more(gateway, answered):
    answered(None)
    page = await gateway.client.get(PATH)

    assert page.status_code == 404
    assert headings_of(page.text) == ["Ce lien n'est plus valable"]


async def test_while_events_is_away_all_links_look_alike_and_answers_are_kept(gateway):
    pages = [await gateway.client.get(f"/p/r/{letter * 26}") for letter in "ab"]

    assert [page.status_code for page in pages] == [503, 503]
    assert pages[0].text == pages[1].text
    assert (await gateway.client.post(PATH, data={"act": "decline"})).status_code == 200
    assert [fact["act"] for fact in await facts(gateway)] == ["decline"]


@pytest.mark.parametrize("form", [{}, {"act": "register"}, {"act": "cancel", "attendee": "x"}])
async def test_what_is_no_answer_is_refused_and_kept_nowhere(gateway, form):
    assert (await gateway.client.post(PATH, data=form)).status_code == 422
    assert await facts(gateway) == []


@pytest.mark.parametrize("limit", ["BY_CALLER", "BY_TOKEN", "FOR_ALL"])
async def test_who_answers_very_often_is_slowed_down(gateway, monkeypatch, limit):
    monkeypatch.setattr(links, limit, RateLimit(burst=2, per_second=0))
    answers = [await gateway.client.post(PATH, data={"act": "decline"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]


@pytest.mark.parametrize("limit", ["LOOKS_BY_CALLER", "LOOKS_FOR_ALL"])
async def test_who_looks_very_often_is_slowed_down(gateway, answered, monkeypatch, limit):
    answered(a_registration())
    monkeypatch.setattr(links, limit, RateLimit(burst=2, per_second=0))
    assert [(await gateway.client.get(PATH)).status_code for _ in range(3)] == [200, 200, 429]


async def test_a_body_that_is_too_long_is_refused(gateway):
    assert (await gateway.client.post(PATH, content=b"x" * 5_000)).status_code == 413


async def test_logs_hold_neither_token_nor_name(gateway, answered, caplog, capfd):
    answered(a_registration())
    await gateway.client.get(PATH)
    await gateway.client.post(PATH, data={"act": "cancel"})

    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    logged = ours + "".join(capfd.readouterr())
    assert "query.asked" in logged
    for text in (TOKEN, link_digest(TOKEN), "Ada"):
        assert text not in logged
