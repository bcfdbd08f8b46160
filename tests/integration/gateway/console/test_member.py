"""The page of one member: whose each value is, what it owes, what happened, and what is shown to whom."""

import re
from decimal import Decimal

import pytest

from schemas.billing import InvoiceChanged
from schemas.communications import ConsentChanged
from schemas.events import EventChanged, RegistrationChanged
from schemas.membership import MemberRemoved
from tests.integration.gateway.gateways import CLUSTR, NUMELINK, own_id
from tests.support.builders import a_consent, a_member, a_registration, an_event, an_invoice
from tests.support.present import group_in

SIREN = "732829320"
PART = {"hx-request": "true", "hx-request-type": "partial"}
HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>\u202e'
UNKNOWN = "00000000-0000-0000-0000-000000000000"


def texts(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def section(answer, name):
    return texts(answer.text.partition(f'id="{name}"')[2].partition("</section>")[0])


def announced(kind, fact, cluster):
    return kind.model_validate(fact.model_dump() | {"cluster": cluster})


@pytest.fixture
async def member(gateway):
    """One company of two clusters that say different things; returns its id."""
    theirs = {"name": "FORGES DU GIER", "siren": SIREN, "street": "33 rue des Tisserands", "modified_on": "2025-01-07"}
    await gateway.feed(NUMELINK, a_member(record_id="B-1", **theirs))
    ours = {"name": "Forges du Gier", "siren": SIREN, "street": "110 allée des Platanes", "modified_on": "2025-06-18"}
    reached = {"phone": "04 77 12 34 56", "website": "forges.example", "email": "directrice@forges.example"}
    await gateway.feed(CLUSTR, a_member(record_id="7", **ours, **reached))
    invoice = an_invoice(record_id="7", invoice_id="F-1", number="FA-1", gross=Decimal("360.00"))
    await gateway.feed(
        CLUSTR,
        announced(InvoiceChanged, invoice, CLUSTR),
        announced(EventChanged, an_event(event_id="E-1"), CLUSTR),
        announced(RegistrationChanged, a_registration(record_id="7", event_id="E-1", status="attended"), CLUSTR),
        announced(ConsentChanged, a_consent(record_id="7", status="withdrawn"), CLUSTR),
    )
    return own_id(CLUSTR, "7")


async def test_a_page_says_who_the_member_is_and_whose_each_value_is(gateway, member):
    answer = await gateway.get(f"/console/membres/{member}", role="staff")

    assert answer.status_code == 200
    assert re.findall(r"<h1>(.*?)</h1>", answer.text) == ["Forges du Gier"]
    assert "732\u00a0829\u00a0320" in answer.text
    identity = section(answer, "identite")
    assert "110 allée des Platanes" in identity
    assert "04\u00a077\u00a012\u00a034\u00a056".replace("\u00a0", " ") in identity
    assert 'href="https://forges.example"' in answer.text
    said = texts(answer.text.partition('id="said-street"')[2].partition("</ul>")[0])
    assert "Affichée parce que sa fiche a été modifiée en dernier." in said
    assert "33 rue des Tisserands" in said
    assert "numelink/B-1, modifiée le 7 janv. 2025" in said
    assert 'popovertarget="said-street"' in answer.text
    assert 'popovertarget="said-siren"' not in answer.text, "all agree: nothing is to be opened"


async def test_sections_tell_dues_registrations_mails_records_and_the_timeline(gateway, member):
    answer = await gateway.get(f"/console/membres/{member}", role="staff")
    assert "FA-1" in section(answer, "cotisations")
    assert "présent" in section(answer, "inscriptions")
    assert "refusé" in section(answer, "courriels")
    assert "numelink/B-1" in section(answer, "fiches")
    assert "Facture\u202f: FA-1".replace("\u202f", " ") in section(answer, "chronologie")


async def test_the_timeline_is_narrowed_with_and_without_a_script(gateway, member):
    path = f"/console/membres/{member}"
    narrowed = await gateway.get(path, role="staff", sorte="inscriptions")
    assert "Participation" in section(narrowed, "chronologie")
    assert "Facture" not in section(narrowed, "chronologie")
    part = await gateway.get(path, role="staff", sorte="inscriptions", headers=PART)
    assert part.text.strip().startswith('<section id="chronologie"')
    assert "Participation" in texts(part.text)
    assert (await gateway.get(path, role="reader", headers=PART)).status_code == 403


async def test_a_long_timeline_is_read_on(gateway, member):
    for version in range(2, 30):
        fact = a_member(record_id="7", version=version, siren=SIREN, name="Forges du Gier", brand=f"Forges {version}")
        await gateway.feed(CLUSTR, fact)
    path = f"/console/membres/{member}"
    first = await gateway.get(path, role="staff", sorte="fiches")
    assert first.text.count("<time ") == 20
    following = group_in(r'hx-get="([^"]+suite=[^"]+)"', first.text).replace("&amp;", "&").partition("#")[0]
    rest = await gateway.get(following, role="staff", headers=PART)
    assert rest.text.strip().startswith("<li ")
    assert rest.text.count("<time ") == 10
    assert (await gateway.get(following, role="staff")).text.count("<time ") == 10


async def test_an_id_that_was_merged_away_leads_to_the_current_one_which_says_so(gateway, member):
    former = own_id(NUMELINK, "B-1")
    answer = await gateway.get(f"/console/membres/{former}", role="staff")
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/console/membres/{member}?depuis={former}"
    arrived = await gateway.get(answer.headers["location"], role="staff")
    assert "Le membre demandé a été réuni à celui-ci le " in texts(arrived.text)
    await gateway.feed(CLUSTR, a_member(record_id="8", name="Forges du Gier", siren=SIREN))
    await gateway.sql("update identity_history set at = '2026-03-01' where at = (select min(at) from identity_history)")
    again = await gateway.get(answer.headers["location"], role="staff")
    assert "Le membre demandé a été réuni à celui-ci le 1 mars 2026" in texts(again.text)
    assert "a été réuni à celui-ci." in texts((await gateway.get(answer.headers["location"], role="reader")).text)
    other = await gateway.get(f"/console/membres/{member}", role="staff", depuis=UNKNOWN)
    assert "Le membre demandé" not in other.text


async def test_who_was_removed_or_never_was_is_told_in_words(gateway, member):
    await gateway.feed(NUMELINK, a_member(record_id="9"))
    await gateway.feed(NUMELINK, MemberRemoved(record_id="9", version=2))
    gone = await gateway.get(f"/console/membres/{own_id(NUMELINK, '9')}")
    assert gone.status_code == 410
    assert "<h1>Ce n’est plus là</h1>" in gone.text
    for nobody in (UNKNOWN, "x", "%00"):
        assert (await gateway.get(f"/console/membres/{nobody}")).status_code == 404


async def test_who_may_not_read_persons_sees_no_timeline_and_no_doubts(gateway, member):
    answer = await gateway.get(f"/console/membres/{member}", role="reader")
    assert answer.status_code == 200
    assert 'id="chronologie"' not in answer.text
    assert 'id="courriels"' not in answer.text
    assert "directrice@forges.example" not in answer.text
    assert "Forges du Gier" in answer.text
    assert "directrice@forges.example" in (await gateway.get(f"/console/membres/{member}", role="staff")).text


async def test_what_staff_set_by_hand_is_told_with_who_and_why(gateway, member):
    body = {"value": "Saint-Chamond", "reason": "vu au téléphone", "author": "Marie Dupuis"}
    answer = await gateway.ask("PUT", f"/members/{member}/fields/city", role="staff", json=body)
    assert answer.status_code == 200, answer.text
    page = await gateway.get(f"/console/membres/{member}", role="staff")
    assert "par Marie Dupuis : vu au téléphone" in section(page, "identite")


async def test_conflicts_stand_on_top(gateway, member):
    terms = {"status": "active", "paid_until": "2026-12-31"}
    twice = {"name": "Deux Fois", "siren": "552100554", **terms}
    await gateway.feed(NUMELINK, a_member(record_id="C-1", **twice))
    await gateway.feed(CLUSTR, a_member(record_id="8", **twice))
    view = (await gateway.get(f"/members/{own_id(CLUSTR, '8')}")).json()
    page = await gateway.get(f"/console/membres/{own_id(CLUSTR, '8')}", role="staff")
    assert len(view["conflicts"]) == 1
    assert "Cotisation payée deux fois entre clustr-numerique/8 et numelink/C-1" in texts(page.text)


async def test_what_members_wrote_is_text_and_leads_nowhere(gateway):
    wrote = {"name": HOSTILE, "brand": HOSTILE, "street": HOSTILE, "website": "javascript:alert(1)", "email": HOSTILE}
    await gateway.feed(NUMELINK, a_member(record_id="1", **wrote, contact_last_name=HOSTILE, category=HOSTILE))
    answer = await gateway.get(f"/console/membres/{own_id(NUMELINK, '1')}", role="staff")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text
    assert 'href="javascript' not in answer.text


async def test_a_page_is_in_english_too(gateway, member):
    answer = await gateway.get(f"/console/membres/{member}", role="staff", headers={"accept-language": "en"})
    identity = section(answer, "identite")
    assert "Shown because its record was changed last." in identity
    assert "Street" in identity
    assert "Invoice: FA-1" in section(answer, "chronologie")
