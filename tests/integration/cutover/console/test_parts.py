"""Parts of a former system's page: each by itself, with a script or without, and while its service is away."""

import re

import pytest

from tests.integration.cutover.console.clicking import SYSTEM, Clicking, text_of

PARTS = ("conditions", "parite", "tardifs", "transmis", "historique")
LATE = f"{SYSTEM}/tardifs"


async def test_the_page_comes_at_once_and_its_parts_say_that_their_service_is_away(away: Clicking) -> None:
    html = (await away.get(SYSTEM)).text
    for name in PARTS:
        assert f'id="{name}"' in html
        assert f'hx-get="{SYSTEM}/{name}" hx-trigger="load"' in html


@pytest.mark.parametrize("patient", [0.3])
async def test_a_part_whose_service_is_away_can_be_asked_again(away: Clicking) -> None:
    part = await away.get(f"{SYSTEM}/conditions", part=True)
    page = await away.get(f"{SYSTEM}/parite")

    assert (part.status_code, page.status_code) == (200, 200)
    assert "<html" not in part.text
    assert "Pas de réponse de « Facturation »" in text_of(part.text)
    assert f'hx-get="{SYSTEM}/conditions" hx-target="#conditions"' in part.text
    assert "<html" in page.text
    assert f'href="{SYSTEM}/parite"' in page.text
    move = await away.get(f"{SYSTEM}/passer?vers=switch")
    assert "sans elle, rien ne peut être passé" in text_of(move.text)
    assert 'name="reason"' not in move.text


@pytest.mark.parametrize("patient", [0.3])
async def test_a_move_that_waits_is_told_and_arrives_when_the_service_is_back(away: Clicking) -> None:
    asked = await away.post(f"{SYSTEM}/passer?vers=mirror", reason="Tout est prêt")
    where = asked.headers["location"]
    page = (await away.get(where)).text
    assert "La réponse arrive ici" in text_of(page)
    assert '<noscript><meta http-equiv="refresh"' in page
    assert "Tout est prêt" in page
    asking = re.findall(rf'hx-get="({where}\?vu=[\w-]+)" hx-trigger="every 1s"', page)[0]
    assert (await away.get(asking, part=True)).status_code == 204
    async with away.staff.billing.running():
        assert "C’est fait" in await away.followed(asked)
    assert "http-equiv" not in (await away.get(where)).text
    assert (await away.get("/console/demandes/1")).status_code == 404


async def test_conditions_are_a_list_of_tasks(console: Clicking) -> None:
    html = (await console.get(f"{SYSTEM}/conditions", "staff", part=True)).text
    words = text_of(html)
    assert "choses à faire" in words
    assert html.count('<li class="held">') >= 3
    assert html.count('<li class="open">') >= 4
    # Whatever billing finds is said in French: nothing of it is marked as English but commands.
    assert '<p class="faint" lang="en">' not in html
    assert "Aucune sauvegarde n’a été notée." in words
    assert "traboule cutover note-backup" in words
    assert "POST /cutover/backups" in words
    assert "passer?vers" not in html
    admins = (await console.get(f"{SYSTEM}/conditions")).text
    assert f'href="{SYSTEM}/passer?vers=mirror"' in admins
    assert 'href="/console/exploitation#sauvegarde"' in admins


async def test_a_late_message_is_shown_side_by_side_and_decided(console: Clicking) -> None:
    await console.staff.moved("mirror", "switch")
    first = await console.staff.late(invoice_id="F1", number="FA-<1>")
    second = await console.staff.late(invoice_id="F2")
    listed = (await console.get(LATE, "treasurer")).text
    assert f'href="{LATE}/{first}"' in listed
    page = (await console.get(f"{LATE}/{first}", "treasurer")).text
    assert "FA-&lt;1&gt;" in page
    assert "Rien n’est tenu ici" in text_of(page)

    applied = await console.post(f"{LATE}/{first}/appliquer", "treasurer", reason="Il a raison")
    assert applied.headers["location"] == f"{SYSTEM}?fait=appliquer"
    assert "Le message tardif est appliqué." in await console.text(applied.headers["location"])
    refused = await console.post(f"{LATE}/{second}/ecarter", "treasurer", reason=" ")
    assert refused.status_code == 422
    dismissed = await console.post(f"{LATE}/{second}/ecarter", "treasurer", reason="Déjà ici")
    assert dismissed.headers["location"].endswith("fait=ecarter")
    assert await console.staff.billing.column("select number from invoices") == ["FA-<1>"]

    twice = await console.post(f"{LATE}/{first}/ecarter", "treasurer", reason="Trop tard")
    assert twice.status_code == 409
    assert "Tranché le" in text_of(twice.text)
    assert "Ce que vous avez écrit Motif Trop tard" in text_of(twice.text)
    assert "Aucun message n’attend un avis." in await console.text(LATE)
    assert "appliqué" in await console.text(f"{LATE}?etat=tous")
    assert (await console.get(f"{LATE}/999")).status_code == 404
    assert (await console.post(f"{LATE}/{first}/garder", reason="x")).status_code == 404


async def test_late_messages_are_decided_by_whom_may(console: Clicking) -> None:
    await console.staff.moved("mirror", "switch")
    number = await console.staff.late(invoice_id="F1")
    # Staff decide those of other services: billing's are the treasurer's.
    page = (await console.get(f"{LATE}/{number}", "staff")).text
    assert "/appliquer" not in page
    assert (await console.post(f"{LATE}/{number}/appliquer", "staff", reason="x")).status_code == 403
    assert f'href="{LATE}/{number}"' not in (await console.get(LATE, "operator")).text
    assert (await console.get(f"{LATE}/{number}", "operator")).status_code == 403
    assert await console.staff.billing.column("select state from quarantine") == ["waiting"]


async def test_what_is_written_back_is_counted(console: Clicking) -> None:
    await console.staff.moved("mirror", "switch", system="numelink/membership")
    made = await console.staff.ask("POST", "/records/numelink", {"fields": {"name": "Néon"}}, role="staff")
    assert made.status_code == 201
    words = await console.text("/console/bascule/numelink/membership/transmis")
    assert "1 fiche écrite ici n’est pas encore confirmée" in words
    assert "créée ici" in words
    assert "à envoyer" in words
