"""What the page of one member shows, made from the API's JSON."""

from datetime import date

import pytest

from deploy.provisioning.provision import CLUSTERS
from services.gateway.console.catalogue import words
from services.gateway.console.display import marks_of
from services.gateway.console.pages.member import joined_at, shown_member
from services.gateway.console.pages.member_dues import dues_of, invoice_state
from services.gateway.console.pages.member_fields import because, fields_of
from services.gateway.console.pages.member_sections import conflicts_of, mails_of, records_of, registrations_of
from services.gateway.console.pages.member_timeline import timeline_of
from services.membership.views.rules import FIELDS, RULES
from shared.runtime.clusters import load_clusters
from tests.support.present import present

MARKS = marks_of(load_clusters(CLUSTERS))
FRENCH, ENGLISH = words("fr"), words("en")
TODAY = date(2026, 11, 30)
A, B = "clustr-numerique/7", "numelink/B-1"


def a_value(value, *records, **more):
    return {"value": value, "said_by": list(records or (A,)), **more}


def a_field(name, value, doubts=(), overrides=()):
    (field,) = fields_of({name: value}, doubts, overrides, MARKS, FRENCH)
    return field


def an_invoice(**values):
    return {
        "from": A,
        "number": "FA-1",
        "issued_on": "2026-01-31",
        "due_on": "2026-03-02",
        "gross": "360.00",
        "paid": "0",
        **values,
    }


# --- identity ---


def test_a_value_that_all_agree_on_has_nothing_to_open():
    field = a_field("siren", a_value("732829320", A, B))
    assert (field.label, field.value, field.others, field.because) == ("SIREN", "732\u00a0829\u00a0320", None, None)
    assert [mark.letters for mark in field.marks] == ["CR", "NL"]


def test_others_are_told_with_who_says_so_when_and_why_this_one_is_shown():
    street = a_value("1 rue A", B, said_on={B: "2025-06-18"}, because="most-recent")
    street["others"] = [a_value("2 rue B", A), a_value("3 rue C", A)]
    field = a_field("street", street)
    assert field.others == "2 autres valeurs"
    assert field.because == "Affichée parce que sa fiche a été modifiée en dernier."
    assert [(each.value, each.is_shown) for each in field.statements] == [
        ("1 rue A", True),
        ("2 rue B", False),
        ("3 rue C", False),
    ]
    assert field.statements[0].by == "numelink/B-1, modifiée le 18 juin 2025"
    assert field.statements[1].by == A


@pytest.mark.parametrize("rule", [*RULES, "record-order"])
def test_every_rule_has_its_words(rule):
    assert present(because(rule, FRENCH)).startswith("Affichée")
    assert present(because(rule, ENGLISH)).startswith("Shown")


def test_every_field_of_a_view_has_a_label():
    view = {name: a_value("x") for name in (*FIELDS, "contact")}
    assert {field.name for field in fields_of(view, (), (), MARKS, FRENCH)} == set(view)


def test_what_staff_set_is_told_with_who_and_why():
    value = a_value("Lyon", B, because="override", override={"at": "2026-11-23T09:30:00Z", "on": B})
    entry = {"record": B, "field": "city", "author": "Marie Dupuis", "reason": "vu au téléphone", "taken_back": None}
    field = a_field("city", value, overrides=[{**entry, "author": "Jean", "taken_back": {"by": "x"}}, entry])
    assert field.set_by == "Fixée à la main le 23 nov. 2026 par Marie Dupuis\u202f: vu au téléphone"
    assert field.others == "fixée à la main"
    assert field.because is None
    assert a_field("city", value).set_by == "Fixée à la main le 23 nov. 2026."


def test_only_what_is_doubtful_of_the_value_that_is_shown_is_told_and_once():
    doubt = {"record": A, "field": "siren", "code": "siren-invalid", "meaning": "n'est pas un SIREN", "written": "12"}
    doubts = [doubt, doubt, {**doubt, "record": B, "meaning": "autre"}, {**doubt, "field": "vat"}]
    assert a_field("siren", a_value("12", A), doubts).doubts == ("n’est pas un SIREN",)


@pytest.mark.parametrize(
    ("name", "value", "text", "link"),
    [
        ("phone", "+33477123456", "04\u00a077\u00a012\u00a034\u00a056", "tel:+33477123456"),
        ("phone", "+32212345678", "+32212345678", "tel:+32212345678"),
        ("phone", "quatre", "quatre", None),
        ("website", "forges.example/accueil", "forges.example/accueil", "https://forges.example/accueil"),
        ("website", "javascript:alert(1)", "javascript:alert(1)", None),
        ("website", "//evil.example", "//evil.example", None),
        ("email", "a@b.example", "a@b.example", "mailto:a@b.example"),
        ("email", "a@b.example?bcc=x@y.example", "a@b.example?bcc=x@y.example", None),
        ("country", "FR", "France", None),
        ("country", "Neverland", "Neverland", None),
        ("naf", {"code": "62.02A", "nomenclature": "rev2"}, "62.02A (NAF rév. 2)", None),
        ("naf", {"code": "62.20", "nomenclature": "2025"}, "62.20 (NAF 2025)", None),
        ("contact", {"first_name": "Zoé", "last_name": "Faure", "role": "gérante"}, "Zoé Faure, gérante", None),
        ("contact", {"last_name": "Faure"}, "Faure", None),
    ],
)
def test_values_are_written_as_people_do_and_lead_only_where_it_is_certain(name, value, text, link):
    field = a_field(name, a_value(value))
    assert (field.value, field.link) == (text, link)


# --- dues ---


@pytest.mark.parametrize(
    ("values", "state", "text"),
    [
        ({"status": "paid"}, "good", "payée"),
        ({"paid": "360.00"}, "good", "payée"),
        ({}, "attention", "en retard, reste 360,00\u00a0€"),
        ({"paid": "60.00", "due_on": "2026-12-31"}, "quiet", "à payer, reste 300,00\u00a0€"),
        ({"due_on": None}, "quiet", "à payer, reste 360,00\u00a0€"),
        ({"status": "cancelled"}, "quiet", "annulée"),
        ({"status": "draft"}, "quiet", "brouillon"),
        ({"kind": "credit-note"}, "quiet", "avoir"),
    ],
)
def test_an_invoice_says_how_it_stands(values, state, text):
    tag = invoice_state(an_invoice(**values), TODAY, FRENCH)
    assert (tag.state, tag.text) == (state, text)


def some_dues(**values):
    return {"dues": {"invoiced": "0", "received": "0", "outstanding": "0", "invoices": [], **values}}


def test_what_is_owed_is_told_first():
    owed = present(dues_of(some_dues(invoiced="720", received="360", outstanding="360"), MARKS, TODAY, FRENCH))
    assert (owed.owed, owed.is_owed, owed.summary) == (
        "360,00\u00a0€",
        True,
        "720,00\u00a0€ facturés, 360,00\u00a0€ reçus.",
    )
    settled = present(dues_of(some_dues(invoiced="720", received="720"), MARKS, TODAY, FRENCH))
    assert (settled.owed, settled.summary) == ("Rien à payer", "720,00\u00a0€ facturés, tout est réglé.")
    assert present(dues_of(some_dues(), MARKS, TODAY, FRENCH)).summary == "Rien n’a été facturé."
    assert dues_of({}, MARKS, TODAY, FRENCH) is None


def test_invoices_are_there_once_newest_first():
    document = {"from": B, "kind": "dues-notice", "number": "AC-1", "issued_on": "2026-11-01", "gross": "180"}
    dues = present(
        dues_of(
            some_dues(
                invoices=[an_invoice(number="FA-1"), an_invoice(number="FA-2")],
                documents=[document, {**document, "number": "FA-2", "mirrored": True}],
                unlisted=3,
            ),
            MARKS,
            TODAY,
            FRENCH,
        )
    )
    assert [invoice.number for invoice in dues.invoices] == ["AC-1", "FA-2", "FA-1"]
    assert dues.invoices[0].state.text == "appel de cotisation"
    assert dues.unlisted == "et 3 plus anciennes"


def a_period(first, last, record, *, paid_up=True):
    return {"starts_on": first, "ends_on": last, "paid_up": paid_up, "reasons": [{"from": record, "reason": "x"}]}


def test_paid_days_lie_below_each_other_by_cluster():
    periods = [
        a_period("2025-01-01", "2025-12-31", A),
        a_period("2025-07-01", "2026-06-30", B),
        a_period("2026-01-01", "2026-12-31", A, paid_up=False),
        a_period("2001-01-01", "2001-12-31", A),
    ]
    dues = present(dues_of(some_dues(periods=periods), MARKS, TODAY, FRENCH))
    assert [year for _, year in dues.years] == ["2025", "2026"]
    ours, theirs = dues.lanes
    assert (ours.mark.letters, theirs.mark.letters) == ("CR", "NL")
    assert [(bar.x, bar.width) for bar in ours.bars] == [(0, 498)]
    assert theirs.bars[0].x < ours.bars[0].x + ours.bars[0].width, "half a year is paid twice"
    assert theirs.bars[0].text == "du 1 juil. 2025 au 30 juin 2026"
    assert present(dues_of(some_dues(), MARKS, TODAY, FRENCH)).lanes == ()


# --- other sections ---


def test_registrations_are_the_newest_with_how_they_ended():
    item = {"from": A, "registered_at": "2026-07-31T07:10:00Z", "event": None}
    event = {"title": "Rencontre", "starts_at": "2026-08-18T17:30:00Z"}
    items = [item] * 12 + [{**item, "status": "attended", "event": event}]
    shown = present(registrations_of({"registrations": items}, MARKS, FRENCH))
    assert len(shown) == 10
    assert (shown[0].title, shown[0].day, shown[0].state.text) == ("Rencontre", "18 août 2026", "présent")
    assert (shown[1].title, shown[1].state.text) == ("(événement inconnu)", "inscrit")
    assert registrations_of({}, MARKS, FRENCH) is None


def test_consents_say_which_record_decides_and_since_when():
    consents = {
        "in_force": [
            {"channel": "bulk-email", "purpose": "lettre", "allowed": True, "because_of": f"{A}#C1"},
            {"channel": "email", "purpose": "*", "allowed": False, "because_of": B},
        ],
        "decisions": [{"from": A, "consent_id": "C1", "decided_at": "2025-01-07T09:05:00Z"}],
        "suppressed": [{"from": B, "reason": "objection", "since": "2026-01-02T10:00:00Z"}],
    }
    mails = present(
        mails_of({"consents": consents, "mailings": [{"subject": "A", "sent_at": "2026-01-01T10:00:00Z"}]}, FRENCH)
    )
    assert [(each.channel, each.purpose, each.state.text, each.because) for each in mails.consents] == [
        ("Envois en nombre", "lettre", "accepté", f"depuis le 7 janv. 2025, par {A}"),
        ("Courriel", "tout usage", "refusé", f"par {B}"),
    ]
    assert mails.blocked == (f"Ne veut plus de courriels en nombre · {B} · 2 janv. 2026",)
    assert mails.last == ("A, 1 janv. 2026",)
    assert mails_of({}, FRENCH) is None


def test_records_have_their_own_name_and_their_own_doubts():
    view = {
        "sources": [{"from": A, "written": {"name": "FORGES"}}, {"from": B, "written": {}}],
        "memberships": [{"from": A, "category": "TPE", "member_since": "2025-01-07", "status": "ended"}],
    }
    doubts = [{"record": B, "field": "siren", "meaning": "n'est pas un SIREN", "written": "12"}]
    first, second = present(records_of(view, doubts, MARKS, FRENCH))
    assert (first.title, first.membership) == ("FORGES", "TPE · membre depuis le 7 janv. 2025 · adhésion terminée")
    assert (second.title, second.doubts) == ("(sans nom)", ("« 12 »\u202f: n’est pas un SIREN",))
    assert records_of({}, [], MARKS, FRENCH) is None


def test_conflicts_say_who_has_to_settle_them():
    conflict = {"conflict_id": "c1", "kind": "paid-twice", "between": [A, B]}
    view = {"conflicts": [conflict, {**conflict, "kind": "registered-twice"}]}
    paid, registered = conflicts_of(view, "/console/conflits", FRENCH)
    assert (paid.what, paid.address) == ("Cotisation payée deux fois", "/console/conflits/c1")
    assert "facturation" in paid.text
    assert "événements" in registered.text
    assert conflicts_of(view, None, FRENCH)[0].address is None


def test_a_timeline_is_in_words_and_can_be_narrowed():
    items = [
        {"at": "2026-11-30T16:27:17Z", "kind": "record-changed", "what": "Fiche modifiée : siren", "from": A}
        | {"fields": ["siren", "contact_role", "contact_last_name", "x"]},
        {"on": "2026-01-31", "kind": "invoice", "what": "Facture : FA-1", "from": B},
    ]
    shown = timeline_of({"items": items, "next": "abc"}, "/m", "cotisations", MARKS, FRENCH)
    changed, invoice = shown.entries
    assert changed.what == "Fiche modifiée\u202f: SIREN, Contact, x"
    assert (changed.day, changed.time) == ("30 nov. 2026", "17:27")
    assert (invoice.day, invoice.time, invoice.what) == ("31 janv. 2026", None, "Facture\u202f: FA-1")
    assert shown.following == "/m?sorte=cotisations&suite=abc#chronologie"
    assert [kind.label for kind in shown.kinds if kind.is_chosen] == ["Cotisations"]
    assert shown.kinds[0].address == "/m#chronologie"


def test_a_member_of_whom_the_api_gives_little_is_shown_with_that():
    view = {"id": "x", "clusters": ["numelink"], "paid_until": None, "former_ids": [], "name": a_value("Zéphyr", B)}
    shown = shown_member(view, [], [], MARKS, TODAY, None, FRENCH)
    assert (shown.name, shown.siren, shown.clusters, shown.dues_tag.text) == (
        "Zéphyr",
        None,
        "Numelink",
        "Jamais payée",
    )
    assert (shown.dues, shown.registrations, shown.mails, shown.records, shown.people) == (None, None, None, None, ())
    both = shown_member({**view, "clusters": [*MARKS]}, [], [], MARKS, TODAY, None, FRENCH)
    assert both.clusters == "Clust'R Numérique et Numelink"
    exempt = {**view, "memberships": [{"from": B, "exempt": True}]}
    assert shown_member(exempt, [], [], MARKS, TODAY, None, FRENCH).dues_tag.text == "Rien à payer"


C = "numelink/C/3"


def merged(at, *records):
    return {"what": "merged", "at": at, "records": list(records)}


def separated(at, *parts):
    return {"what": "separated", "at": at, "parts": [{"records": list(records)} for records in parts]}


@pytest.mark.parametrize(
    ("former", "at", "turns"),
    [
        (B, "1", [{"what": "decided", "at": "3"}, merged("2", A, B, C), merged("1", A, B)]),
        (C, "2", [merged("2", A, B, C), merged("1", A, B)]),
        (B, "3", [merged("3", A, B), separated("2", [A], [B]), merged("1", A, B)]),
        (B, "1", [merged("3", A, B, C), separated("2", [A, B], [C]), merged("1", A, B, C)]),
        (B, "1", [merged("3", A, B, C), separated("2", [C], ["numelink/D"]), merged("1", A, B)]),
        (B, None, [merged("1", A, C)]),
        (B, None, []),
    ],
)
def test_since_when_two_records_are_one_member(former, at, turns):
    assert joined_at(turns, {former, A}) == at
