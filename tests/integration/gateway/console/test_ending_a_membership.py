"""A membership is ended on a page, which the next page undoes; so a member that was made by mistake can be ended."""

import pytest

from tests.browser.console.deciding import moved_over
from tests.integration.gateway.console.test_member_decisions import fields_in, send, texts
from tests.integration.gateway.console.test_undoing_an_edit import as_browser, former, written
from tests.integration.gateway.gateways import NUMELINK, own_id
from tests.integration.gateway.records.commands import change
from tests.support.builders import a_member

OWN = f"/console/membres/{own_id(NUMELINK, 'B-1')}"
RECORD = f"{OWN}/fiche?nom=numelink%2FB-1"
ENDING = f"{OWN}/fiche/fin?nom=numelink%2FB-1"
UNDO = f"{OWN}/fiche/annuler?nom=numelink%2FB-1"


@pytest.fixture
async def ours(gateway):
    """A record that is ours to change."""
    await gateway.feed(NUMELINK, a_member(record_id="B-1", name="Forges du Gier", city="Givors"))
    await moved_over(gateway)
    return gateway


async def ended(gateway, **typed):
    page = await gateway.get(ENDING, role="staff")
    return await send(gateway, ENDING, fields_in(page, ENDING) | typed)


async def test_a_membership_is_ended_with_its_last_day_and_its_reason(ours):
    assert "/fiche/fin?nom=numelink%2FB-1" in (await ours.get(RECORD, role="staff")).text
    done = await ended(ours, reason="cesse son activité")
    assert done.status_code == 303
    fields = await written(ours)
    assert (fields["status"], fields["ended_on"]) == ("ended", ours.clock.today().isoformat())
    newest = (await ours.get("/records/numelink/B-1/changes")).json()["items"][0]
    assert (newest["author"], newest["reason"]) == ("a staff", "cesse son activité")

    again = texts((await ours.get(ENDING, role="staff")).text)
    assert "Cette adhésion a pris fin." in again
    assert "/fiche/fin" not in (await ours.get(RECORD, role="staff")).text


async def test_it_is_undone_on_the_next_page(ours):
    before = await written(ours)
    done = await ended(ours)
    sealed = former(done)
    page = await ours.get(done.headers["location"], role="staff", headers=await as_browser(ours, sealed))
    undone = await send(ours, UNDO, fields_in(page, UNDO), headers=await as_browser(ours, sealed))
    assert undone.status_code == 303
    assert await written(ours) == before


async def test_a_day_that_is_still_to_come_is_refused_in_words_and_stays_in_the_form(ours):
    refused = await ended(ours, on="2099-12-31", reason="dans longtemps")
    assert refused.status_code == 422
    assert fields_in(refused, ENDING)["reason"] == "dans longtemps"
    assert fields_in(refused, ENDING)["on"] == "2099-12-31"
    assert (await written(ours)).get("status") != "ended"


async def test_what_somebody_else_changed_meanwhile_is_not_ended_unseen(ours):
    fields = fields_in(await ours.get(ENDING, role="staff"), ENDING)
    assert (await change(ours, {"city": "Lorette"})).status_code == 200
    late = await send(ours, ENDING, fields)
    assert late.status_code == 412
    assert (await written(ours)).get("status") != "ended"
    assert (await send(ours, ENDING, fields_in(late, ENDING))).status_code == 303


async def test_a_record_of_a_former_system_has_no_form(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="B-1", name="Forges du Gier"))
    page = await gateway.get(ENDING, role="staff")
    assert page.status_code == 200
    assert 'name="on"' not in page.text
    assert "fait autorité" in texts(page.text)
