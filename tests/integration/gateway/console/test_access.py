"""Accès: people, keys, the audit and one's own sessions, as somebody uses the pages."""

import re

import pytest

from services.gateway.console.session import COOKIE
from tests.integration.gateway.gateways import BROWSER, NUMELINK, own_id
from tests.support.builders import a_member

MARIE = {"name": "Marie Dupuis", "email": "marie@numelink.example", "role": "staff", "cluster": "numelink"}


async def send(gateway, path, fields=None, role="admin"):
    return await gateway.ask("POST", path, role=role, data=fields or {})


async def person_id(gateway, name):
    (row,) = await gateway.rows("select id from people where name = $1", name)
    return row["id"]


async def test_somebody_is_let_in_by_a_link_that_is_shown_once(gateway):
    invited = await send(gateway, "/console/acces/personnes", MARIE | {"_key": "a-form"})
    (link,) = re.findall(r'value="http://localhost:\d+(/console/connexion/[\w-]+)"', invited.text)
    entered = await gateway.client.post(link, headers=BROWSER)
    (cookie,) = re.findall(rf"{COOKIE}=([\w-]+)", str(entered.headers))

    assert "Marie Dupuis" in (await gateway.client.get("/console", headers={"cookie": f"{COOKIE}={cookie}"})).text
    listed = (await gateway.get("/console/acces")).text
    assert link not in listed
    for shown in ("Marie Dupuis", "marie@numelink.example", "permanent · numelink", "connecté"):
        assert shown in listed


async def test_a_form_that_is_sent_twice_makes_one_person(gateway):
    for _ in range(2):
        assert (await send(gateway, "/console/acces/personnes", MARIE | {"_key": "a-form"})).status_code == 200
    assert len(await gateway.rows("select id from people where name = 'Marie Dupuis'")) == 1

    key = {"name": "Extranet", "role": "reader", "days": "90", "_key": "another"}
    assert "trb_" in (await send(gateway, "/console/acces/cles", key)).text
    again = await send(gateway, "/console/acces/cles", key)
    assert again.status_code == 409
    assert len(await gateway.rows("select id from api_keys where name = 'Extranet'")) == 1


@pytest.mark.parametrize(
    ("wrong", "status"),
    [({"name": " "}, 422), ({"email": "nobody"}, 422), ({"role": "king"}, 422), ({"cluster": "atlantis"}, 422)],
)
async def test_what_was_typed_is_there_again_with_what_is_wrong(gateway, wrong, status):
    answer = await send(gateway, "/console/acces/personnes", MARIE | wrong)

    assert answer.status_code == status
    assert 'class="note refused"' in answer.text
    for name in ("name", "email"):
        typed = (MARIE | wrong)[name]
        assert f'value="{typed}"' in answer.text


async def test_an_address_belongs_to_one_person(gateway):
    await send(gateway, "/console/acces/personnes", MARIE)
    again = await send(
        gateway, "/console/acces/personnes", MARIE | {"name": "Another", "email": "MARIE@numelink.example"}
    )

    assert again.status_code == 409
    assert "Quelqu’un a déjà cette adresse" in again.text
    assert len(await gateway.rows("select id from people where name = 'Another'")) == 0


async def test_roles_are_given_and_taken(gateway):
    await gateway.person("staff", "Marie Dupuis")
    marie = await person_id(gateway, "Marie Dupuis")
    await send(gateway, f"/console/acces/personnes/{marie}/role", {"role": "treasurer", "cluster": ""})
    page = (await gateway.get("/console/acces")).text
    assert "trésorerie" in page
    (grant,) = await gateway.rows("select id from grants where person_id = $1 and role = 'staff'", marie)

    assert (await send(gateway, f"/console/acces/droits/{grant['id']}/fin")).status_code == 303
    kept = await gateway.rows("select role, ended_by from grants where person_id = $1 order by id", marie)
    assert [(row["role"], bool(row["ended_by"])) for row in kept] == [("staff", True), ("treasurer", False)]
    assert (await send(gateway, f"/console/acces/droits/{grant['id']}/fin")).status_code == 404


async def test_the_last_administrator_stays(gateway):
    await gateway.session("admin")
    (admin,) = await gateway.rows("select g.id, person_id from grants g where role = 'admin'")

    for path in (f"droits/{admin['id']}/fin", f"personnes/{admin['person_id']}/sortir"):
        refused = await send(gateway, f"/console/acces/{path}")
        assert refused.status_code == 409
        assert "administre" in refused.text
    assert (await gateway.get("/console/acces")).status_code == 200


async def test_access_is_closed_and_opened_again(gateway):
    cookie = await gateway.session("staff")
    marie = await person_id(gateway, "a staff")
    assert (await send(gateway, f"/console/acces/personnes/{marie}/sortir")).status_code == 303
    assert (await gateway.client.get("/console", headers={"cookie": f"{COOKIE}={cookie}"})).status_code == 303
    assert "Rouvrir" in (await gateway.get("/console/acces")).text

    assert (await send(gateway, f"/console/acces/personnes/{marie}/remettre")).status_code == 303
    assert "/console/connexion/" in (await send(gateway, f"/console/acces/personnes/{marie}/lien")).text


async def test_a_key_is_made_shown_once_and_revoked(gateway):
    made = await send(gateway, "/console/acces/cles", {"name": "Extranet", "role": "reader", "days": "90"})
    (key,) = re.findall(r'value="(trb_[\w-]+)"', made.text)
    headers = {"authorization": f"Bearer {key}"}
    assert (await gateway.client.get("/members", headers=headers)).status_code == 200
    assert key not in (await gateway.get("/console/acces/cles")).text

    assert (await send(gateway, f"/console/acces/cles/{key.split('_')[1]}/revoquer")).status_code == 303
    assert (await gateway.client.get("/members", headers=headers)).status_code == 401
    assert "révoquée" in (await gateway.get("/console/acces/cles")).text


@pytest.mark.parametrize("days", ["0", "soon", "99999", "", "9" * 5_000])
async def test_a_key_must_have_an_end(gateway, days):
    answer = await send(gateway, "/console/acces/cles", {"name": "Extranet", "role": "reader", "days": days})
    assert answer.status_code == 422
    assert 'value="Extranet"' in answer.text


async def test_the_audit_shows_who_looked_at_whom(gateway):
    await gateway.feed(NUMELINK, a_member(record_id="M-1"))
    await gateway.get(f"/console/membres/{own_id(NUMELINK, 'M-1')}", role="staff")
    await gateway.audit.flush(keys=True)

    page = (await gateway.get(f"/console/acces/journal?sur=member:{own_id(NUMELINK, 'M-1')}")).text
    assert "a staff" in page
    assert f'href="/console/membres/{own_id(NUMELINK, "M-1")}"' in page
    nothing = (await gateway.get("/console/acces/journal?sur=member:another")).text
    assert "Rien encore" in nothing


async def test_the_audit_is_read_to_its_end(gateway):
    await gateway.session("admin")
    await gateway.sql(
        "insert into access_audit (who, name, permission, about, outcome) "
        "select 'k', 'n' || n, 'read-persons', '/members.csv', 'read' from generate_series(1, 120) n"
    )
    seen, path = [], "/console/acces/journal?qui=k"
    while path:
        page = (await gateway.get(path)).text
        seen += re.findall(r'scope="row"><a[^>]*>n(\d+)<', page)
        following = re.search(r'class="button" href="(/console/acces/journal\?[^"]*avant[^"]*)"', page)
        path = following[1].replace("&amp;", "&") if following else None
    assert seen == [str(n) for n in range(120, 0, -1)]


async def test_who_signed_in_too_long_ago_is_shown_how_to_sign_in_and_loses_nothing(gateway):
    await gateway.session("admin")
    await gateway.sql("update sessions set signed_in_at = now() - interval '16 minutes'")

    refused = await send(gateway, "/console/acces/personnes", MARIE)

    assert refused.status_code == 403
    assert 'href="/console/connexion?encore=oui" target="_blank"' in refused.text
    assert 'value="Marie Dupuis"' in refused.text
    assert (await gateway.get("/console/connexion?encore=oui", role="admin")).status_code == 200


async def test_ones_own_sessions_are_shown_and_ended(gateway):
    mine = await gateway.session("staff")
    path = (await send(gateway, f"/console/acces/personnes/{await person_id(gateway, 'a staff')}/lien")).text
    (link,) = re.findall(r'value="http://localhost:\d+(/console/connexion/[\w-]+)"', path)
    other = re.findall(rf"{COOKIE}=([\w-]+)", str((await gateway.client.post(link, headers=BROWSER)).headers))[0]

    page = (await gateway.get("/console/acces/moi", role="staff")).text
    assert page.count('scope="row"') == 2
    assert "(celle-ci)" in page
    assert (await send(gateway, "/console/acces/moi/autres/fin", role="staff")).status_code == 303
    for cookie, status in ((mine, 200), (other, 303)):
        assert (await gateway.client.get("/console", headers={"cookie": f"{COOKIE}={cookie}"})).status_code == status


@pytest.mark.parametrize("role", ["reader", "staff", "treasurer", "operator"])
async def test_who_may_not_give_access_is_shown_none_and_can_do_nothing(gateway, role):
    home = (await gateway.get("/console", role=role)).text
    assert 'href="/console/acces"' not in home
    for path in ("/console/acces", "/console/acces/cles", "/console/acces/journal"):
        assert (await gateway.get(path, role=role)).status_code == 403
    for path in ("/console/acces/personnes", "/console/acces/cles"):
        assert (await send(gateway, path, MARIE, role=role)).status_code == 403
    for path in ("/console/acces/roles", "/console/acces/moi"):
        page = await gateway.get(path, role=role)
        assert page.status_code == 200
        assert 'href="/console/acces"' not in page.text
