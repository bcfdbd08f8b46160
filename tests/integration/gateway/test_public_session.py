"""The public page of a session, at a gateway with no broker: events answers as a test says, or is away."""

from decimal import Decimal
from typing import Any

import orjson
import pytest

from schemas.events_public import PublicSession
from services.gateway.public import gatherings
from services.gateway.public.limits import RateLimit
from shared.messaging.rpc import Reply
from shared.messaging.rpc_client import RpcClient
from tests.integration.gateway.gateways import NOON
from tests.support.pages import fields_of, headings_of

SESSION = "5f8b1c52-9a7e-4c1d-8e0b-3d2f6a7b9c10"
PATH = f"/p/e/{SESSION}"
KEY = "mfrggzdfmztwq2lkmfrggzdfmz"
USUAL = {"form": KEY, "email": "zoe@example.fr", "name1": "Zoé Müller"}


def a_session(**more: Any) -> PublicSession:
    usual: dict[str, Any] = {
        "session_id": SESSION, "cluster": "numelink", "gathering": "Petit-déjeuner <cyber>", "title": None,
        "place": "Saint-Étienne", "organiser": "rencontres@example.fr", "zone": "Europe/Paris",
        "starts_at": "2027-03-25T08:30:00Z", "ends_at": "2027-03-25T10:00:00Z", "state": "open", "free": 12,
        "opens_at": None, "closes_at": "2027-03-24T17:00:00Z", "cancel_until": "2027-03-24T17:00:00Z",
        "member_price": Decimal(0), "guest_price": Decimal("15.00"),
    }  # fmt: skip
    return PublicSession.model_validate(usual | more)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let events answer with this session, or refuse."""

    def answer(session: PublicSession | None) -> None:
        async def ask(*_: Any) -> Reply:
            if session is None:
                return Reply("refused", orjson.dumps({"kind": "session-unknown", "detail": ""}))
            return Reply("done", session.model_dump_json().encode())

        monkeypatch.setattr(RpcClient, "ask", ask)

    return answer


async def requested(gateway: Any) -> list[dict[str, Any]]:
    async with gateway.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("select routing_key, body from outbox order by id")).all()
    assert {row[0] for row in rows} <= {"traboule.membership.registration-requested"}
    return [orjson.loads(row[1])["data"] for row in rows]


async def test_the_page_shows_the_session_and_a_form_that_needs_no_script(gateway, answered):
    answered(a_session())
    page = await gateway.client.get(PATH)

    assert page.status_code == 200
    assert headings_of(page.text)[0] == "Petit-déjeuner <cyber>"
    for text in ("jeudi 25 mars 2027 à 9\u00a0h\u00a030 – 11\u00a0h\u00a000 (heure de Paris)", "Saint-Étienne"):
        assert text in page.text
    for text in ("12 places libres", "mercredi 24 mars 2027 à 18\u00a0h\u00a000", "15,00\u00a0€", "Gratuit"):
        assert text in page.text
    assert "<script" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "x-robots-tag" not in page.headers
    assert len(fields_of(page.text)["form"]) == 26
    assert await requested(gateway) == []


async def test_it_speaks_english_to_who_reads_it_and_names_other_zones(gateway, answered):
    answered(a_session(zone="Indian/Reunion", free=1))
    page = await gateway.client.get(PATH, headers={"accept-language": "en-GB"})

    assert '<html lang="en">' in page.text
    assert "Thursday 25 March 2027 at 12:30 – 14:00 (Réunion time)" in page.text
    assert "1 seat left" in page.text


@pytest.mark.parametrize(
    ("state", "text", "form"),
    [
        ("waiting-list", "liste d&#39;attente", True),
        ("session-full", "Complet.", False),
        ("list-closed", "closes", False),
        ("not-open-yet", "ouvrent le lundi 1er février 2027 à 9", False),
    ],
)
async def test_without_a_seat_it_says_why(gateway, answered, state, text, form):
    answered(a_session(state=state, free=0, opens_at="2027-02-01T08:00:00Z"))
    page = await gateway.client.get(PATH)

    assert text in page.text
    assert ("<form" in page.text) == form


async def test_while_events_is_away_the_page_says_so_and_the_form_stays_away(gateway):
    page = await gateway.client.get(PATH)

    assert (page.status_code, page.headers["retry-after"], page.headers["x-robots-tag"]) == (503, "5", "noindex")
    assert "pas disponible" in page.text
    assert "<form" not in page.text


async def test_a_session_that_nobody_may_see_is_a_page_that_does_not_exist(gateway, answered):
    answered(None)
    page = await gateway.client.get(PATH)

    assert (page.status_code, page.headers["x-robots-tag"]) == (404, "noindex")
    assert "n&#39;existe pas" in page.text


async def test_what_the_form_asks_is_kept_while_events_is_away(gateway):
    form = USUAL | {"name2": "Léo", "email2": "leo@example.fr", "fewer": "yes"}
    page = await gateway.client.post(PATH, data=form)

    assert page.status_code == 200
    assert headings_of(page.text) == ["C'est noté\u00a0: vous recevrez un courriel"]
    (fact,) = await requested(gateway)
    assert (fact["session_id"], fact["form"], fact["language"], fact["fewer"]) == (SESSION, KEY, "fr", True)
    assert fact["people"] == [{"name": "Zoé Müller"}, {"name": "Léo", "email": "leo@example.fr"}]
    assert fact["received_at"] == NOON.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("away", [False, True])
async def test_an_error_stands_at_its_field_and_nothing_that_was_typed_is_lost(gateway, answered, away):
    if not away:
        answered(a_session())
    form = USUAL | {"email": "zoe at example", "name2": 'Léo "the <cat>"', "email2": "leo@example.fr"}
    page = await gateway.client.post(PATH, data=form)

    assert (page.status_code, page.headers["x-robots-tag"]) == (422, "noindex")
    assert 'id="email-error"' in page.text
    assert 'aria-describedby="email-error"' in page.text
    assert fields_of(page.text) == form | {f"{name}{n}": "" for n in (3, 4, 5) for name in ("name", "email")} | {
        "email1": ""
    }
    assert await requested(gateway) == []
    mended = await gateway.client.post(PATH, data=fields_of(page.text) | {"email": "zoe@example.fr"})
    assert mended.status_code == 200
    assert len(await requested(gateway)) == 1


@pytest.mark.parametrize("name", ["Zoé\nBcc: x@example.fr", "Zoé\r\n", "\x00"])
async def test_a_name_with_a_newline_is_refused_on_the_page(gateway, answered, name):
    answered(a_session())
    page = await gateway.client.post(PATH, data=USUAL | {"name1": name})

    assert page.status_code == 422
    assert "une seule ligne" in page.text
    assert await requested(gateway) == []


async def test_a_body_that_is_too_long_is_refused(gateway):
    answer = await gateway.client.post(PATH, data=USUAL | {"name2": "x" * 17_000})

    assert answer.status_code == 413
    assert await requested(gateway) == []


@pytest.mark.parametrize("session_id", ["x", SESSION.upper(), f"{SESSION}0", "..%2f..%2fmembers"])
async def test_what_is_no_session_is_refused(gateway, session_id):
    answer = await gateway.client.post(f"/p/e/{session_id}", data=USUAL)

    assert answer.status_code in (404, 422)
    assert await requested(gateway) == []


@pytest.mark.parametrize("limit", ["BY_CALLER", "BY_SESSION", "FOR_ALL"])
async def test_who_sends_very_many_forms_is_slowed_down(gateway, monkeypatch, limit):
    monkeypatch.setattr(gatherings, limit, RateLimit(burst=2, per_second=0))

    answers = [await gateway.client.post(PATH, data=USUAL) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert len(await requested(gateway)) == 2


@pytest.mark.parametrize("limit", ["LOOKS_BY_CALLER", "LOOKS_FOR_ALL"])
async def test_who_looks_very_often_is_slowed_down_and_may_still_register(gateway, answered, monkeypatch, limit):
    answered(a_session())
    monkeypatch.setattr(gatherings, limit, RateLimit(burst=2, per_second=0))

    assert [(await gateway.client.get(PATH)).status_code for _ in range(3)] == [200, 200, 429]
    assert (await gateway.client.post(PATH, data=USUAL)).status_code == 200


async def test_logs_hold_nobody(gateway, answered, caplog, capfd):
    answered(a_session())
    await gateway.client.get(PATH)
    for form in (USUAL, USUAL | {"email": "zoe at example"}):
        await gateway.client.post(PATH, data=form)

    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    logged = ours + "".join(capfd.readouterr())
    for text in ("Zoé", "zoe", KEY):
        assert text not in logged
