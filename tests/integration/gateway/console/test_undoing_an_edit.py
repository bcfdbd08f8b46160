"""An edit of a source record is undone on the next page, or was confirmed on a page."""

import zlib
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import blake2b
from random import Random

import pytest
from cryptography.fernet import Fernet

from services.gateway.console.former_values import COOKIE as FORMER
from services.gateway.console.former_values import SECONDS
from services.gateway.console.session import COOKIE
from tests.browser.console.deciding import moved_over
from tests.integration.gateway.console.test_member_decisions import fields_in, send, texts
from tests.integration.gateway.gateways import NUMELINK, own_id
from tests.integration.gateway.records.commands import change
from tests.support.builders import a_member
from tests.support.present import group_in

OWN = f"/console/membres/{own_id(NUMELINK, 'B-1')}"
RECORD = f"{OWN}/fiche?nom=numelink%2FB-1"
UNDO = f"{OWN}/fiche/annuler?nom=numelink%2FB-1"


@pytest.fixture
async def edited(gateway):
    """A record that staff has edited: one value was replaced, one removed, one added, and a doubtful one mended."""
    company = a_member(record_id="B-1", name="Forges du Gier", city="Givors", phone="0472000000", siren="123")
    await gateway.feed(NUMELINK, company.model_copy(update={"brand": None}))
    await moved_over(gateway)
    gateway.before = await written(gateway)
    fields = fields_in(await gateway.get(RECORD, role="staff"), RECORD)
    new = {"city": "Rive-de-Gier", "phone": "", "brand": "Le Gier", "siren": "732829320"}
    gateway.done = await send(gateway, RECORD, fields | new)
    assert gateway.done.status_code == 303
    return gateway


async def written(gateway):
    fields = (await gateway.get("/records/numelink/B-1")).json()["fields"]
    return {name: value for name, value in fields.items() if name != "modified_on"}


def former(answer):
    return group_in(f"{FORMER}=([^;]*);", answer.headers["set-cookie"])


async def as_browser(gateway, sealed, role="staff"):
    return {"cookie": f"{COOKIE}={await gateway.session(role)}; {FORMER}={sealed}"}


async def arrived(gateway, sealed, role="staff"):
    return await gateway.get(
        gateway.done.headers["location"], role=role, headers=await as_browser(gateway, sealed, role)
    )


async def test_an_edit_is_undone_on_the_next_page(edited):
    sealed = former(edited.done)
    page = await arrived(edited, sealed)
    assert "La fiche est enregistrée. Annuler" in texts(page.text)
    assert 'data-key="u"' in page.text

    undone = await send(edited, UNDO, fields_in(page, UNDO), headers=await as_browser(edited, sealed))

    assert undone.status_code == 303
    assert former(undone) in ("", '""')
    assert "La modification est annulée" in texts((await edited.get(undone.headers["location"], role="staff")).text)
    assert await written(edited) == edited.before
    newest = (await edited.get("/records/numelink/B-1/changes")).json()["items"][0]
    assert (newest["author"], newest["reason"]) == ("a staff", "Annulée aussitôt")
    assert newest["fields"] == ["brand", "city", "phone", "siren"]


@pytest.mark.parametrize("packed", [b"0" * 20_000_000, b"null", b'{"record": "numelink/B-1"}', None])
async def test_what_the_owner_of_a_session_seals_instead_is_no_edit(edited, packed):
    content = b"not packed" if packed is None else zlib.compress(packed)
    token = (await edited.session("staff")).encode()
    key = blake2b(token, digest_size=32, person=b"former values").digest()
    sealed = Fernet(urlsafe_b64encode(key)).encrypt_at_time(content, int(edited.clock.now().timestamp())).decode()
    refused = await send(edited, UNDO, {"reason": "x"}, headers=await as_browser(edited, sealed))
    assert refused.status_code == 410


async def test_no_address_and_no_page_holds_what_was_replaced_and_the_cookie_cannot_be_read(edited):
    assert "Givors" not in edited.done.headers["location"]
    cookie = edited.done.headers["set-cookie"]
    for said in ("HttpOnly", "Secure", "SameSite=strict", f"Max-Age={SECONDS}", "Path=/console/membres"):
        assert said in cookie
    assert "Givors" not in cookie


async def test_an_edit_is_not_undone_over_what_somebody_else_wrote(edited):
    sealed = former(edited.done)
    assert (await change(edited, {"city": "Lorette"})).status_code == 200

    late = await send(edited, UNDO, {"reason": "Annulée aussitôt"}, headers=await as_browser(edited, sealed))

    assert late.status_code == 412
    shown = texts(late.text)
    assert "Quelqu'un a changé cette fiche" in shown
    assert "Ville Givors Lorette" in shown
    assert "Enseigne – Le Gier" in shown
    assert (await written(edited))["city"] == "Lorette"
    mine = fields_in(late, RECORD)
    assert (await send(edited, RECORD, mine | {"insist": "oui"})).status_code == 303
    assert await written(edited) == edited.before


async def test_an_edit_is_undone_by_its_own_session_for_ten_minutes(edited):
    sealed = former(edited.done)
    assert "u</kbd>" not in (await arrived(edited, sealed, "admin")).text
    for cookie in (sealed[:-4] + "AAAA", "x", ""):
        refused = await send(edited, UNDO, {}, headers=await as_browser(edited, cookie))
        assert (refused.status_code, "ne peut plus être annulé" in refused.text) == (410, True)
    edited.clock.instant += timedelta(seconds=SECONDS + 1)
    assert "u</kbd>" not in (await arrived(edited, sealed)).text
    refused = await send(edited, UNDO, {}, headers=await as_browser(edited, sealed))
    assert (refused.status_code, "ne peut plus être annulé" in refused.text) == (410, True)
    assert (await written(edited))["city"] == "Rive-de-Gier"


async def test_an_edit_of_another_record_is_not_undone_for_it(edited):
    other = UNDO.replace("B-1", "B-2")
    refused = await send(edited, other, {}, headers=await as_browser(edited, former(edited.done)))
    assert refused.status_code == 410


async def test_what_changed_nothing_leaves_nothing_to_undo(edited):
    fields = fields_in(await edited.get(RECORD, role="staff"), RECORD)
    assert former(await send(edited, RECORD, fields)) in ("", '""')


async def test_what_is_too_long_to_be_undone_is_confirmed_before(edited):
    random, letters = Random(7), "abcdefghijklmnopqrstuvwxyzéèàçôABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    names = ("name", "brand", "street", "city", "category")
    long = {name: "".join(random.choices(letters, k=900)) for name in names}
    fields = fields_in(await edited.get(RECORD, role="staff"), RECORD)
    asked = await send(edited, RECORD, fields | long)
    assert asked.status_code == 422
    assert "cette modification ne pourra pas être annulée d'un clic" in texts(asked.text)
    assert (await written(edited))["city"] == "Rive-de-Gier", "nothing was saved yet"

    done = await send(edited, RECORD, fields_in(asked, RECORD) | {"final": "oui"})

    assert done.status_code == 303, texts(done.text)
    assert former(done) in ("", '""')
    assert (await written(edited))["city"] == long["city"]
