"""The check-in page, at a gateway with no broker: events answers as a test says, or is away."""

from typing import Any

import orjson
import pytest

from schemas.events_passes import CheckInList, ListedPerson
from schemas.objections import link_digest
from schemas.tickets import code_digest
from services.gateway.public import checkin
from services.gateway.public.limits import RateLimit
from shared.messaging.rpc import Reply
from shared.messaging.rpc_client import RpcClient
from tests.integration.gateway.gateways import NOON
from tests.integration.gateway.test_public_session import a_session
from tests.support.pages import forms_of, headings_of

TOKEN = "mfrggzdfmztwq2lkmfrggzdfmz"
PATH = f"/p/c/{TOKEN}"
TICKET = "MFRGGZDFMZTWQ2LKMFRGGZDF"
ADA, BLAISE, CHLOE = (f"00000000-0000-4000-8000-00000000000{n}" for n in (1, 2, 3))


def listed(*more: ListedPerson) -> CheckInList:
    people = [
        _person(ADA, "Ada Martin", tickets=[code_digest(TICKET).hex()]),
        _person(BLAISE, "Blaise Petit", state="attended", attended_at=NOON, device="Accueil 2"),
        _person(CHLOE, "Chloé Été", state="cancelled", expected=False),
        *more,
    ]
    return CheckInList(
        session=a_session(), device="Accueil", ends_at=NOON, present=1, expected=2, people=people, keys=["k"]
    )  # fmt: skip


def _person(attendee_id: str, name: str, **more: Any) -> ListedPerson:
    usual: dict[str, Any] = {
        "attendee_id": attendee_id, "name": name, "organisation": None, "tickets": [], "state": "registered",
        "expected": True, "walk_in": False, "attended_at": None, "device": None,
    }  # fmt: skip
    return ListedPerson(**usual | more)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let events answer with this list, or refuse the pass."""

    def answer(shown: CheckInList | None) -> None:
        async def ask(*_: Any) -> Reply:
            if shown is None:
                return Reply("refused", orjson.dumps({"kind": "pass-unknown", "detail": ""}))
            return Reply("done", shown.model_dump_json().encode())

        monkeypatch.setattr(RpcClient, "ask", ask)

    return answer


async def noted(gateway: Any) -> list[dict[str, Any]]:
    async with gateway.engine.connect() as connection:
        rows = (await connection.exec_driver_sql("select routing_key, body from outbox order by id")).all()
    assert {row[0] for row in rows} <= {"traboule.membership.attendance-noted"}
    facts = [orjson.loads(row[1])["data"] for row in rows]
    assert {fact["link_digest"] for fact in facts} <= {link_digest(TOKEN)}
    return [entry for fact in facts for entry in fact["entries"]]


async def test_the_page_shows_the_session_the_count_and_who_is_expected(gateway, answered):
    answered(listed())
    page = await gateway.client.get(PATH)

    assert page.status_code == 200
    assert headings_of(page.text)[0] == "Petit-déjeuner <cyber>"
    assert 'Entrées\u00a0: <strong id="present">1</strong> · Attendus\u00a0: <strong>2</strong>' in page.text
    assert "Entrer : Ada Martin" in page.text
    assert "entrée à 12\u00a0h\u00a000 (Accueil 2)" in page.text
    assert "Chloé" not in page.text
    assert await noted(gateway) == []


async def test_no_cache_keeps_names_and_one_script_of_ours_may_run(gateway, answered):
    answered(listed())
    page = await gateway.client.get(PATH)
    policy = page.headers["content-security-policy"]

    assert (page.headers["cache-control"], page.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert "set-cookie" not in page.headers
    assert "script-src 'self'; connect-src 'self'" in policy
    assert "unsafe" not in policy
    [source] = [part.split('"')[0] for part in page.text.split('<script src="')[1:]]
    script = await gateway.client.get(f"/p/{source.removeprefix('../')}")
    assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert "no-store" not in script.headers["cache-control"]


async def test_a_ticket_shows_the_name_and_asks_before_it_lets_in(gateway, answered):
    answered(listed())
    asked = await gateway.client.post(PATH, data={"act": "find", "q": f"https://x.fr/C/{TICKET.lower()}"})
    assert "Est-ce cette personne\u00a0?" in asked.text
    assert await noted(gateway) == []

    form = next(form for form in forms_of(asked.text) if form.get("attendee") == ADA)
    done = [await gateway.client.post(PATH, data=form) for _ in range(2)]
    assert [page.status_code for page in done] == [200, 200]
    assert "C&#39;est noté\u00a0: Ada Martin" in done[0].text
    assert '<strong id="present">2</strong>' in done[0].text
    entries = await noted(gateway)
    assert [(entry["attendee_id"], entry["at"]) for entry in entries] == [(ADA, NOON.isoformat()[:19] + "Z")] * 2
    assert len({entry["key"] for entry in entries}) == 1


async def test_a_second_scan_says_since_when_and_by_which_device(gateway, answered):
    answered(listed())
    page = await gateway.client.post(PATH, data={"act": "enter", "attendee": BLAISE, "form": "a" * 26})

    assert "Déjà noté" in page.text
    assert "entrée à 12\u00a0h\u00a000 (Accueil 2)" in page.text
    assert await noted(gateway) == []


async def test_names_are_searched_without_accents_and_who_cancelled_is_asked_about(gateway, answered):
    answered(listed())
    results = await gateway.client.post(PATH, data={"act": "find", "q": "ETE chloe"})
    assert "Chloé Été" in results.text
    assert "Ada" not in results.text
    page = await gateway.client.post(PATH, data={"act": "enter", "attendee": CHLOE, "form": "a" * 26})
    assert "plus attendue" in page.text
    assert await noted(gateway) == []

    form = next(form for form in forms_of(page.text) if form.get("sure") == "yes")
    assert (await gateway.client.post(PATH, data=form)).status_code == 200
    assert [entry["name"] for entry in await noted(gateway)] == ["Chloé Été"]


async def test_who_is_not_on_the_list_is_added_and_who_is_on_it_is_asked_about(gateway, answered):
    answered(listed())
    added = {"act": "add", "form": "a" * 26}
    assert "Noté" not in (await gateway.client.post(PATH, data=added | {"name": "Paul\nRoux"})).text
    assert (await gateway.client.post(PATH, data=added | {"name": " "})).status_code == 422
    page = await gateway.client.post(PATH, data=added | {"name": "ada MARTIN"})
    assert "Ce nom est sur la liste" in page.text
    assert await noted(gateway) == []

    await gateway.client.post(PATH, data=added | {"name": "Paul Roux"})
    await gateway.client.post(PATH, data=added | {"name": "Ada Martin", "sure": "yes"})
    assert [entry["name"] for entry in await noted(gateway)] == ["Paul Roux", "Ada Martin"]


async def test_while_events_is_away_codes_and_added_names_are_noted(gateway):
    page = await gateway.client.get(PATH)
    assert (page.status_code, page.headers["retry-after"]) == (503, "5")
    assert "ne répond pas" in page.text

    assert "Code noté" in (await gateway.client.post(PATH, data={"act": "find", "q": TICKET})).text
    assert (await gateway.client.post(PATH, data={"act": "find", "q": "Ada"})).status_code == 503
    form = next(form for form in forms_of(page.text) if form["act"] == "add")
    await gateway.client.post(PATH, data=form | {"name": "Paul Roux"})
    entries = await noted(gateway)
    assert [entry.get("ticket_digest") for entry in entries] == [code_digest(TICKET).hex(), None]
    assert [entry.get("name") for entry in entries] == [None, "Paul Roux"]


@pytest.mark.parametrize("path", ["", "/list"])
async def test_a_pass_that_ended_is_a_page_that_shows_nothing(gateway, answered, path):
    answered(None)
    page = await gateway.client.get(f"{PATH}{path}")

    assert page.status_code == 404
    assert any(word in page.text for word in ("laissez-passer", "pass-unknown"))
    assert (await gateway.client.post(PATH, data={"act": "add", "name": "Paul", "form": "a" * 26})).status_code == 404


async def test_a_phone_gets_the_list_and_sends_later_whom_it_let_in(gateway, answered):
    answered(listed())
    shown = (await gateway.client.get(f"{PATH}/list")).json()
    assert (shown["present"], shown["expected"], shown["keys"]) == (1, 2, ["k"])
    assert [(each["name"], each["expected"]) for each in shown["people"]] == [
        ("Ada Martin", True), ("Blaise Petit", True), ("Chloé Été", False),
    ]  # fmt: skip
    assert shown["people"][0]["tickets"] == [code_digest(TICKET).hex()]

    sent = {"device": "K7", "entries": [
        {"key": "00000000-1", "attendee_id": ADA, "ago": 90}, {"key": "00000000-2", "name": "Paul Roux", "ago": 0},
    ]}  # fmt: skip
    answer = await gateway.client.post(f"{PATH}/entries", json=sent)
    assert (answer.status_code, answer.json()) == (200, {"noted": 2})
    assert [entry["at"] for entry in await noted(gateway)] == ["2026-11-23T10:58:30Z", "2026-11-23T11:00:00Z"]


@pytest.mark.parametrize(
    "entry",
    [
        {"key": "00000000-1", "ago": 0},
        {"key": "00000000-1", "ago": 0, "attendee_id": ADA, "name": "Ada"},
        {"key": "00000000-1", "ago": -1, "name": "Ada"},
        {"key": "x", "ago": 0, "name": "Ada"},
        {"key": "00000000-1", "ago": 0, "name": "Ada\nMartin"},
    ],
)
async def test_an_entry_that_says_nothing_clear_is_refused(gateway, entry):
    answer = await gateway.client.post(f"{PATH}/entries", json={"device": "K7", "entries": [entry]})

    assert answer.status_code == 422
    assert await noted(gateway) == []


@pytest.mark.parametrize("limit", ["BY_CALLER", "BY_TOKEN", "FOR_ALL"])
async def test_who_sends_very_often_is_slowed_down(gateway, monkeypatch, limit):
    monkeypatch.setattr(checkin, limit, RateLimit(burst=2, per_second=0))
    form = {"act": "add", "name": "Paul Roux", "form": "a" * 26}

    assert [(await gateway.client.post(PATH, data=form)).status_code for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("limit", ["LOOKS_BY_CALLER", "LOOKS_FOR_ALL"])
async def test_who_looks_very_often_is_slowed_down(gateway, answered, monkeypatch, limit):
    answered(listed())
    monkeypatch.setattr(checkin, limit, RateLimit(burst=2, per_second=0))

    answers = [(await gateway.client.get(path)).status_code for path in (PATH, f"{PATH}/list", PATH)]
    assert answers == [200, 200, 429]


async def test_logs_hold_no_token_and_nobody(gateway, answered, caplog, capfd):
    answered(listed())
    await gateway.client.get(PATH)
    for form in ({"act": "find", "q": TICKET}, {"act": "add", "name": "Paul Roux", "form": "a" * 26}):
        await gateway.client.post(PATH, data=form)

    ours = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("httpx"))
    logged = ours + "".join(capfd.readouterr())
    assert "check-in page" in logged
    for text in (TOKEN, TICKET, "Paul", "Ada", link_digest(TOKEN)):
        assert text not in logged
