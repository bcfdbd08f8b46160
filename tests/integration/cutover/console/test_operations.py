"""Exploitation: health, parked messages looked at, corrected, sent again as far as they were seen, or discarded."""

import asyncio
import re
from typing import Any

import orjson
import pytest

from tests.integration.cutover.console.clicking import Clicking, text_of
from tests.integration.cutover.http.test_parked import QUEUE, body, parked, statuses, without, wrong
from tests.support.waiting import eventually

BOARD = "/console/exploitation"
BILLING = f"{BOARD}/billing"
GROUP = f"{BILLING}/messages?file={QUEUE}&motif=invalid-field"
HOSTILE = '<script>alert(1)</script>"><img src=x>'


def message(number: int) -> str:
    return f"{BILLING}/messages/{number}"


async def test_each_service_is_a_part_and_one_that_is_away_is_shown_as_away(console: Clicking) -> None:
    await wrong(console.staff, 2)
    html = (await console.get(BOARD, "operator")).text
    for service in ("membership", "billing", "events", "communications"):
        assert f'hx-get="{BOARD}/{service}" hx-trigger="load"' in html

    here, other = await asyncio.gather(
        console.get(BILLING, "operator", part=True), console.get(f"{BOARD}/events", "operator", part=True)
    )
    assert "prêt" in text_of(here.text)
    assert "2 mis de côté depuis le" in text_of(here.text)
    assert "Un champ manque ou ne convient pas 2" in text_of(here.text)
    assert "numelink.billing" in here.text
    assert other.status_code == 200
    assert "Pas de réponse de « Événements »" in text_of(other.text)
    assert (await console.get(f"{BOARD}/unknown")).status_code == 404


async def test_more_groups_than_a_page_holds_are_counted(console: Clicking, monkeypatch: pytest.MonkeyPatch) -> None:
    await parked(console.staff, *(without(body(), field) for field in ("gross", "net")), {})
    assert "autre groupe" not in await console.text(BILLING)
    monkeypatch.setattr("services.operations.parked.MOST_GROUPS", 1)
    assert "et 1 autre groupe" in await console.text(BILLING)


async def test_a_group_leads_to_its_messages_and_each_to_its_content(console: Clicking) -> None:
    event = without(body(), "gross")
    event["data"]["label"] = HOSTILE
    (number,) = await parked(console.staff, event)
    address = re.findall(rf'href="({BILLING}/messages\?[^"]+motif[^"]+)"', (await console.get(BILLING)).text)[0]
    listed = (await console.get(address.replace("&amp;", "&"), "operator")).text
    assert f'href="{message(number)}"' in listed

    html = (await console.get(message(number), "operator")).text
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    words = text_of(html)
    for shown in (
        "Un champ manque ou ne convient pas",
        "Message d’origine : ",
        "gross faux : Field required",
        "Type",
        "mis de côté",
    ):
        assert shown in words
    # An operator sends again and discards; to correct what others said is another right.
    assert "Corriger et rejouer" not in words
    assert "Rejouer" in words


async def test_only_those_that_somebody_saw_are_sent_again(console: Clicking) -> None:
    seen = await wrong(console.staff, 3)
    page = (await console.get(GROUP, "operator")).text
    assert "les 3 comptés à l’instant" in page
    up_to = re.findall(r'name="up_to" value="(\d+)"', page)[0]
    (later,) = await wrong(console.staff)

    fields = {"reason": "La base était pleine", "combien": "tous", "up_to": up_to}
    asked = await console.send("POST", GROUP.replace("?", "/rejouer?"), "operator", {}, data=fields)
    told = await console.followed(asked)

    assert "3 messages rejoués." in told
    assert "3 ont été remis de côté." in told
    rows = {row["id"]: row["count"] for row in await console.staff.billing.parked()}
    assert rows == {**dict.fromkeys(seen, 2), later: 1}
    assert "3 déjà rejoués" in await console.text(BILLING)


async def test_the_first_ten_and_a_reason(console: Clicking) -> None:
    numbers = await wrong(console.staff, 12)
    page = text_of((await console.get(GROUP)).text)
    assert "les 10 premiers" in page
    assert "les 12 comptés à l’instant" in page
    fields = {"reason": " ", "combien": "10", "up_to": str(numbers[-1])}
    address = GROUP.replace("?", "/ecarter?")
    refused = await console.send("POST", address, "admin", {}, data=fields)
    assert refused.status_code == 422

    done = await console.send("POST", address, "admin", {}, data=fields | {"reason": "Test"})
    told = await console.followed(done)
    assert "10 messages écartés." in told
    assert "2 restent." in told
    assert (await statuses(console.staff)).count("discarded") == 10
    assert "Aucun message." not in await console.text(f"{GROUP}&etat=ecartes")


@pytest.mark.parametrize("patient", [0.3])
async def test_a_number_that_no_database_keeps_is_refused_in_words(away: Clicking) -> None:
    far = "9" * 20
    asked = [await away.get(message(int(far)))]
    asked += [
        await away.post(f"{message(int(far))}/{doing}", reason="x", body="1") for doing in ("rejouer", "corriger")
    ]
    for up_to in (far, far * 250):
        fields = {"reason": "Test", "combien": "tous", "up_to": up_to}
        asked.append(await away.send("POST", GROUP.replace("?", "/ecarter?"), "admin", {}, data=fields))
    assert [answer.status_code for answer in asked] == [422] * 5
    assert all("Des paramètres ne conviennent pas" in text_of(answer.text) for answer in asked)


@pytest.mark.parametrize("doing", ["rejouer", "ecarter"])
async def test_an_address_that_names_no_group_means_nothing(console: Clicking, doing: str) -> None:
    (number,) = await wrong(console.staff)
    fields = {"reason": "Test", "combien": "tous", "up_to": str(number)}
    answer = await console.send("POST", f"{BILLING}/messages/{doing}", "admin", {}, data=fields)
    assert answer.status_code == 422
    assert await statuses(console.staff) == ["parked"]


async def test_a_message_is_corrected_checked_and_applied(console: Clicking) -> None:
    event = body(invoice_id="F-7")
    (number,) = await parked(console.staff, without(event, "gross"))
    page = (await console.get(message(number))).text
    assert "Corriger et rejouer" in text_of(page)
    address = f"{message(number)}/corriger"

    broken = await console.post(address, body='{"id": 1,', reason="Montant oublié")
    assert broken.status_code == 422
    assert "Ce n’est pas du JSON : ligne 1" in text_of(broken.text)
    assert "{&#34;id&#34;: 1,</textarea>" in broken.text
    assert 'value="Montant oublié"' in broken.text
    refused = await console.post(address, body=_text(without(event, "net")), reason="Montant oublié")
    assert refused.status_code == 422
    assert "data.net: Field required" in text_of(refused.text)
    assert "Rien n’est parti." in text_of(refused.text)
    assert await statuses(console.staff) == ["parked"]

    done = await console.post(address, body=_text(event), reason="Montant oublié")
    assert (done.status_code, done.headers["location"]) == (303, f"{message(number)}?fait=corriger")
    assert "Le message est rejoué." in await console.text(done.headers["location"])

    async def applied() -> str:
        words = await console.text(message(number))
        return words if "appliqué" in words else ""

    assert "a admin" in await eventually(applied)
    assert await console.staff.billing.column("select invoice_id from invoices") == ["F-7"]


async def test_a_body_that_is_longer_in_lines_can_be_corrected(console: Clicking) -> None:
    (number,) = await parked(console.staff, without(body(), "gross") | {"subject": [[[0] * 6_000]]})
    page = (await console.get(message(number))).text
    (shown,) = re.findall(r"<textarea[^>]*>\s*(.*?)</textarea>", page, re.DOTALL)
    assert "\n" not in shown

    lines = '{"a": [\n' + "            0,\n" * 12_000 + "0]}"
    refused = await console.post(f"{message(number)}/corriger", body=lines, reason="Test")
    assert refused.status_code == 422
    assert "Le service refuserait ce corps" in text_of(refused.text)


async def test_one_is_sent_again_or_discarded(console: Clicking) -> None:
    first, second = await wrong(console.staff, 2)
    again = await console.post(f"{message(first)}/rejouer", "operator", reason="Encore")
    assert again.headers["location"].endswith("?fait=rejouer")
    gone = await console.post(f"{message(second)}/ecarter", "operator", reason="Inutile")
    assert "Le message est écarté" in await console.text(gone.headers["location"], "operator")
    twice = await console.post(f"{message(second)}/ecarter", "operator", reason="Inutile")
    assert twice.status_code == 409
    assert "n’est plus mis de côté" in text_of(twice.text)
    assert "Ce que vous avez écrit Motif Inutile" in text_of(twice.text)
    assert "Renvoyer" not in text_of(twice.text)

    async def parked_again() -> bool:
        return await statuses(console.staff) == ["parked", "discarded"]

    await eventually(parked_again)
    assert (await console.post(f"{message(first)}/garder", reason="x")).status_code == 404
    assert (await console.get(message(99_999))).status_code == 404


async def test_a_page_looks_for_minutes_at_a_message_that_is_under_way(console: Clicking) -> None:
    (number,) = await wrong(console.staff)
    for minutes, is_live in ((4, True), (6, False)):
        await console.staff.billing.query(
            f"update dead_letters set status = 'replaying', last_at = now() - make_interval(mins => {minutes})"
        )
        page = (await console.get(message(number))).text
        assert ('hx-trigger="every 2s"' in page) is is_live
        assert ("ne le suit plus d’elle-même" in page) is not is_live


@pytest.mark.parametrize("patient", [0.3])
async def test_what_was_typed_is_there_while_the_service_is_away(away: Clicking) -> None:
    broken = '{"label":\n "<b>1'
    corrected = await away.post(f"{message(1)}/corriger", body=broken, reason="Montant oublié")
    discarded = await away.send(
        "POST", GROUP.replace("?", "/ecarter?"), "admin", {}, data={"reason": " ", "combien": "10", "up_to": "3"}
    )

    for page in (corrected.text, discarded.text):
        assert "Pas de réponse de « Facturation »" in text_of(page)
        assert "Ce que vous avez écrit" in text_of(page)
    assert "&lt;b&gt;1</pre>" in corrected.text
    assert f'action="{message(1)}/corriger"' in corrected.text
    assert re.findall(r'name="reason" value="([^"]*)"', corrected.text) == ["Montant oublié"]
    assert discarded.status_code == 422
    (again,) = re.findall(r'action="([^"]+/ecarter[^"]+)"', discarded.text)
    assert again.replace("&amp;", "&") == GROUP.replace("?", "/ecarter?")
    kept = dict(re.findall(r'name="(up_to|combien)" value="([^"]+)"', discarded.text))
    assert kept == {"combien": "10", "up_to": "3"}


@pytest.mark.parametrize("role", ["staff", "reader", "treasurer"])
async def test_who_may_not_see_it_gets_nothing(away: Clicking, role: str) -> None:
    for path in (BOARD, BILLING, f"{BILLING}/messages", message(1)):
        assert (await away.get(path, role)).status_code == 403, path
    for path in (f"{message(1)}/rejouer", f"{BILLING}/messages/ecarter", f"{BOARD}/sauvegarde"):
        answer = await away.post(path, role, reason="x", note="x", up_to="1")
        assert answer.status_code == 403, path
    assert BOARD not in (await away.get("/console", role)).text


async def test_correcting_needs_its_own_right(console: Clicking) -> None:
    (number,) = await wrong(console.staff)
    forged = await console.post(f"{message(number)}/corriger", "operator", body=_text(body()), reason="x")
    assert forged.status_code == 403
    assert await statuses(console.staff) == ["parked"]


@pytest.mark.parametrize("patient", [1.0])
async def test_a_backup_is_noted_in_every_service(console: Clicking) -> None:
    assert "Noter une sauvegarde" in await console.text(BOARD, "operator")
    empty = await console.post(f"{BOARD}/sauvegarde", "operator", note=" ")
    assert empty.status_code == 422
    noted = await console.post(f"{BOARD}/sauvegarde", "operator", note="nas1, minuit")
    words = await console.text(noted.headers["location"], "operator")
    assert "La sauvegarde est notée : Facturation, Adhésions." in words
    assert "2 services n’ont pas encore répondu" in words
    assert await console.staff.billing.column("select note from backups") == ["nas1, minuit"]
    (followed, _) = re.findall(r'href="(/console/demandes/[^"]+)"', (await console.get(noted.headers["location"])).text)
    assert "Demandé à" in await console.text(followed, "operator")


def _text(event: dict[str, Any]) -> str:
    return orjson.dumps(event).decode()
