"""Moving a former system by the pages: what must hold, over, back and retired, each with its reason."""

import re

import pytest

from services.gateway.console.inside import Answer, Inside, Params
from tests.integration.cutover.console.clicking import SYSTEM, Clicking, text_of
from tests.integration.cutover.staff import BILLING
from tests.support.waiting import eventually

MOVE = f"{SYSTEM}/passer?vers="
OPERATOR = "operator"


async def mirrored(console: Clicking) -> None:
    await console.staff.moved("mirror")
    await at(console, "miroir")


async def at(console: Clicking, stage: str) -> str:
    """The system's page once the board has heard."""

    async def so() -> str:
        html = (await console.get(SYSTEM)).text
        return html if f'aria-current="step">{stage}</li>' in html else ""

    return await eventually(so)


async def test_the_board_shows_every_system_and_leads_to_each(console: Clicking) -> None:
    await mirrored(console)
    html = (await console.get("/console/bascule", "staff")).text

    assert len(re.findall(r'class="track-name"', html)) == 8
    assert html.index("Clust") < html.index("Numelink")
    assert f'href="{SYSTEM}"' in html
    assert "zoé" in html
    assert text_of(html).count("Ancien système") == 8
    assert 'aria-current="page"' in html


async def test_the_board_asks_once_what_waits(away: Clicking, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    ask = Inside.get

    async def get(self: Inside, path: str, params: Params | None = None) -> Answer:
        asked.append(path)
        return await ask(self, path, params)

    monkeypatch.setattr(Inside, "get", get)
    await away.get("/console/bascule", "staff")
    assert sorted(asked) == ["/cutover", "/waiting"]


async def test_a_move_is_asked_followed_and_not_made_twice(console: Clicking) -> None:
    page = (await console.get(f"{MOVE}mirror")).text
    key = re.findall(r'name="_key" value="([\w-]+)"', page)[0]
    assert "L’ancien système reste l’autorité" in text_of(page)

    asked = await console.post(f"{MOVE}mirror", reason="Tout est prêt", _key=key)
    told = await console.followed(asked)
    again = await console.post(f"{MOVE}mirror", reason="Tout est prêt", _key=key)

    assert "C’est fait : étape « miroir », autorité : Ancien système." in told
    assert "Annoncé à tous les services" in told
    assert (again.status_code, again.headers["location"]) == (303, SYSTEM)
    history = await console.staff.billing.query("select stage, by, reason from stage_history")
    assert history == [{"stage": "mirror", "by": "a admin", "reason": "Tout est prêt"}]
    await at(console, "miroir")
    assert "C’est déjà fait." in await console.text(f"{MOVE}mirror")
    other = await console.followed(await console.post(f"{MOVE}mirror", reason="Encore", _key="another"))
    assert "C’était déjà fait" in other
    assert len(await console.staff.billing.column("select epoch from stage_history")) == 1


async def test_a_switch_names_what_fails_and_each_needs_its_own_reason(console: Clicking) -> None:
    await mirrored(console)
    page = text_of((await console.get(f"{MOVE}switch")).text)
    for condition in ("Une sauvegarde a été notée", "Une grille de cotisations est adoptée", "Passer outre"):
        assert condition in page
    refused = await console.followed(await console.post(f"{MOVE}switch", reason="Il est temps"))
    assert "Refusé : rien n’a été fait" in refused
    assert "Une grille de cotisations est adoptée" in refused

    failing = re.findall(r'name="malgre-([a-z-]+)"', (await console.get(f"{MOVE}switch")).text)
    ticked = {f"malgre-{name}": "oui" for name in failing}
    whys = {f"raison-{name}": f"pas pour {name}" for name in failing}
    without = await console.post(f"{MOVE}switch", reason="Il est temps", **ticked)
    assert without.status_code == 422
    assert 'value="Il est temps"' in without.text
    assert without.text.count("Dites pourquoi") == without.text.count(" checked>") == len(failing) > 2
    done = await console.followed(await console.post(f"{MOVE}switch", reason="Il est temps", **ticked, **whys))

    assert "C’est fait : étape « chez nous », autorité : Traboule." in done
    [newest] = await console.staff.billing.query("select reason, overruled from stage_history where epoch = 2")
    assert sorted(newest["overruled"]) == sorted(failing)
    assert newest["reason"].startswith("Il est temps ; malgré « ")
    assert "pas pour grid" in newest["reason"]
    told = await console.text(f"{SYSTEM}/historique")
    assert "Malgré : " in told
    live = await at(console, "chez nous")
    assert "Revenir" in text_of(live)
    assert "Retirer" in text_of(live)


async def test_what_cannot_be_overruled_has_no_tick_box(console: Clicking) -> None:
    page = (await console.get(f"{MOVE}switch")).text
    assert 'name="malgre-mirror"' not in page
    assert "Aucun motif ne la remplace." in text_of(page)
    assert "Ce passage n’est pas possible" in text_of((await console.get(f"{MOVE}rollback")).text)
    assert (await console.get(f"{MOVE}jump")).status_code == 404


async def test_to_retire_one_types_its_name(console: Clicking) -> None:
    await console.staff.moved("mirror", "switch")
    await at(console, "chez nous")
    assert "C’est définitif" in text_of((await console.get(f"{MOVE}retire")).text)

    wrong = await console.post(f"{MOVE}retire", reason="Adieu", confirm="numelink")
    assert wrong.status_code == 422
    assert 'value="Adieu"' in wrong.text
    assert 'value="numelink"' in wrong.text
    done = await console.followed(await console.post(f"{MOVE}retire", reason="Adieu", confirm=BILLING))
    assert "étape « retiré »" in done
    assert "revoke-retired" in done
    html = await at(console, "retiré")
    assert "passer?vers" not in html
    assert 'id="conditions"' not in html
    assert (await console.get(f"{SYSTEM}/conditions")).status_code == 404


@pytest.mark.parametrize("role", ["staff", "operator", "admin@clustr-numerique"])
async def test_who_may_not_move_sees_no_button_and_a_forged_form_is_refused(console: Clicking, role: str) -> None:
    assert "passer?vers" not in (await console.get(SYSTEM, role)).text
    assert (await console.get(f"{MOVE}mirror", role)).status_code == 403
    assert (await console.post(f"{MOVE}mirror", role, reason="Moi aussi")).status_code == 403
    assert await console.staff.billing.column("select cluster from stages") == []


async def test_who_signed_in_long_ago_keeps_what_they_typed(console: Clicking) -> None:
    await console.session("admin", minutes_ago=16)
    page = (await console.get(f"{MOVE}mirror")).text
    assert "Cela demande une connexion récente" in text_of(page)

    refused = await console.post(f"{MOVE}mirror", reason="Tout est prêt")

    assert refused.status_code == 403
    assert 'value="Tout est prêt"' in refused.text
    assert "Se connecter à nouveau dans un autre onglet" in text_of(refused.text)
    again = re.findall(r'href="(/console/connexion\?[^"]+)"', refused.text)[0].replace("&amp;", "&")
    assert (await console.get(again)).status_code == 200
    assert await console.staff.billing.column("select cluster from stages") == []


async def test_readers_see_nothing_of_it(away: Clicking) -> None:
    for path in ("/console/bascule", SYSTEM, f"{SYSTEM}/conditions"):
        assert (await away.get(path, "reader")).status_code == 403
    assert "/console/bascule" not in (await away.get("/console", "reader")).text
    assert (await away.get("/console/bascule/numelink/rien", "staff")).status_code == 404
