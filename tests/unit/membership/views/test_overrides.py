"""What staff set by hand is believed before every record, and can be taken back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from deploy.provisioning.provision import CLUSTERS as CLUSTERS_FILE
from schemas.membership import MemberRecorded
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord, as_written
from services.membership.views.consolidation import consolidate
from services.membership.views.overrides import OVERRIDABLE, Override, OverrideError, understand_override
from services.membership.views.survivorship import survivors
from shared.runtime.clusters import load_clusters

CLUSTERS = load_clusters(CLUSTERS_FILE)
A, B = "clustr-numerique/A", "numelink/B"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
BY_STAFF = {"at": "2026-11-23T09:30:00Z", "on": A}

_orders = count(1)


def a_record(source: str, **document: Any) -> SourceRecord:
    key = RecordKey(*source.split("/"))
    fact = MemberRecorded(**{"record_id": key.record_id, "version": 1, "name": "Ateliers", **document})
    means = meaning(fact, CLUSTERS[key.cluster])
    written = as_written(fact.model_dump_json(exclude_none=True).encode())
    return SourceRecord(key, written, means.document, means.siren, means.same_as, means.name_key, None)


def an_override(field: str, value: str, on: str = A, **different: Any) -> Override:
    override = Override(RecordKey(*on.split("/")), field, value, "m.durand", AT, next(_orders))
    return replace(override, **different)


LYON = a_record(A, city="Lyon", postcode="69003", siren="732829320", modified_on="2026-01-05")
GIER = a_record(B, city="Rive-de-Gier", postcode="42800", siren="552100554", modified_on="2025-01-05")


# --- what is shown


def test_an_override_is_shown_before_what_records_say_and_tells_who_set_it_and_when() -> None:
    override = an_override("city", "Lyon 3e", at=AT.astimezone(timezone(timedelta(hours=2))))
    assert survivors([LYON, GIER], [override])["city"] == {
        "value": "Lyon 3e",
        "said_by": [],
        "because": "override",
        "override": BY_STAFF,
        "others": [
            {"value": "Lyon", "said_by": [A], "said_on": {A: "2026-01-05"}},
            {"value": "Rive-de-Gier", "said_by": [B], "said_on": {B: "2025-01-05"}},
        ],
    }


def test_records_that_say_the_same_are_named_beside_it() -> None:
    city = survivors([LYON, GIER], [an_override("city", "Rive-de-Gier")])["city"]
    assert (city["value"], city["said_by"], city["override"]) == ("Rive-de-Gier", [B], BY_STAFF)
    assert [item["value"] for item in city["others"]] == ["Lyon"]


def test_a_record_alone_can_be_overridden_and_a_field_that_nobody_filled_too() -> None:
    fields = survivors([LYON], [an_override("city", "Lyon"), an_override("brand", "Écluse+")])
    assert fields["city"]["because"] == "override"
    assert "others" not in fields["city"]
    assert fields["brand"] == {"value": "Écluse+", "said_by": [], "because": "override", "override": BY_STAFF}


def test_of_two_that_met_by_a_merge_the_newest_is_shown_and_the_other_told() -> None:
    older, newer = an_override("city", "Lyon 3e"), an_override("city", "Gier", on=B, author="p.roux")
    for overrides in ([older, newer], [newer, older]):
        city = survivors([LYON, GIER], overrides)["city"]
        assert (city["value"], city["override"]["on"]) == ("Gier", B)
        assert city["others"][0] == {"value": "Lyon 3e", "said_by": [], "override": BY_STAFF}
        assert [item["value"] for item in city["others"][1:]] == ["Lyon", "Rive-de-Gier"]


def test_taken_back_it_leaves_no_trace() -> None:
    assert consolidate([LYON, GIER], (), []) == consolidate([LYON, GIER], ())


def test_it_stays_whatever_a_new_import_says() -> None:
    override = an_override("city", "Lyon 3e")
    later = a_record(A, city="Villeurbanne", modified_on="2027-01-01")
    assert survivors([later], [override])["city"]["value"] == "Lyon 3e"


# --- values that belong together


def test_a_postcode_brings_its_departement() -> None:
    fields = survivors([LYON, GIER], [an_override("postcode", "42100")])
    assert fields["departement"] == {
        "value": "42",
        "said_by": [B],
        "said_on": {B: "2025-01-05"},
        "because": "override",
        "override": BY_STAFF,
        "others": [{"value": "69", "said_by": [A], "said_on": {A: "2026-01-05"}}],
    }
    assert consolidate([LYON], (), [an_override("postcode", "20090")]).departement == "2A"


def test_a_postcode_of_the_country_that_is_shown_has_no_departement() -> None:
    overrides = [an_override("postcode", "1201"), an_override("country", "Suisse")]
    fields = survivors([LYON], overrides)
    assert (fields["country"]["value"], fields["postcode"]["value"]) == ("CH", "1201")
    assert "departement" not in fields
    assert consolidate([LYON], (), overrides).departement is None


def test_a_postcode_that_is_no_longer_understood_is_shown_all_the_same() -> None:
    abroad = a_record(A, country="GB")
    override = an_override("postcode", understand_override("postcode", "sw1a 1aa", survivors([abroad])).text)
    assert survivors([abroad], [override])["postcode"]["value"] == "SW1A 1AA"
    assert survivors([LYON], [override])["postcode"]["value"] == "SW1A 1AA"


def test_a_part_of_a_contact_is_set_within_the_contact_that_is_shown() -> None:
    record = a_record(A, contact_first_name="Zoe", contact_last_name="Martin")
    older = an_override("contact_role", "PDG", on=B, author="p.roux")
    overrides = [older, an_override("contact_first_name", "Zoé"), an_override("contact_role", "DG")]
    assert survivors([record], overrides)["contact"] == {
        "value": {"first_name": "Zoé", "last_name": "Martin", "role": "DG"},
        "said_by": [],
        "because": "override",
        "override": {**BY_STAFF, "fields": ["contact_first_name", "contact_role"]},
        "others": [
            {
                "value": {"role": "PDG"},
                "said_by": [],
                "override": {**BY_STAFF, "on": B, "fields": ["contact_role"]},
            },
            {"value": {"first_name": "Zoe", "last_name": "Martin"}, "said_by": [A]},
        ],
    }


def test_a_contact_that_nobody_wrote_can_be_set() -> None:
    contact = survivors([LYON], [an_override("contact_last_name", "Martin")])["contact"]
    assert contact["value"] == {"last_name": "Martin"}


def test_what_lists_and_searches_need_follows_what_is_shown() -> None:
    overrides = [
        an_override("name", "Écluse Logiciels"),
        an_override("brand", "Gier+"),
        an_override("siren", "356000000"),
        an_override("city", "Saint-Étienne"),
    ]
    view = consolidate([LYON, GIER], (), overrides)
    assert view.sort_key == "ecluse logiciels"
    assert orjson.loads(view.summary) == {
        "name": "Écluse Logiciels", "brand": "Gier+", "siren": "356000000", "city": "Saint-Étienne"
    }  # fmt: skip
    assert view.sirens == ["356000000", "552100554", "732829320"]
    for words in ("ecluse logiciels", "gier+", "356000000", "saint-etienne", "ateliers", "rive-de-gier"):
        assert words in view.search
    assert consolidate([LYON], (), overrides[:1]).sort_key == "ecluse logiciels"


# --- what may be set


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("name", "  Écluse SAS ", "Écluse SAS"),
        ("siren", "732 829 320", "732829320"),
        ("siren", "73282932000074", "732829320"),
        ("siret", "732 829 320 00074", "73282932000074"),
        ("vat", "fr 44 732829320", "FR44732829320"),
        ("naf", "6201z", "62.01Z"),
        ("website", "https://www.Acme.fr/accueil", "acme.fr"),
        ("email", "Zoe@Acme.fr", "zoe@acme.fr"),
        ("phone", "04 72 00 00 00", "+33472000000"),
        ("mobile", "+41 79 123 45 67", "+41791234567"),
        ("postcode", "F-69003", "69003"),
        ("country", "Suisse", "CH"),
        ("headcount", "10 à 19", "10 à 19"),
        ("contact_role", "DG", "DG"),
    ],
)
def test_a_value_is_understood_as_a_records_own_would_be(field: str, value: str, text: str) -> None:
    understood = understand_override(field, value)
    assert understood.text == text
    assert understand_override(field, text) == understood


def test_a_naf_code_tells_its_nomenclature_and_a_postcode_its_departement() -> None:
    assert understand_override("naf", "62.10Y").value == {"code": "62.10Y", "nomenclature": "2025"}
    assert understand_override("postcode", "97400").departement == "974"
    assert survivors([LYON], [an_override("naf", "62.01Z")])["naf"]["value"] == {
        "code": "62.01Z", "nomenclature": "rev2"
    }  # fmt: skip


def test_phones_and_postcodes_are_read_by_the_country_that_is_shown() -> None:
    geneva = survivors([a_record(A, country="Suisse", postcode="1201")])
    assert understand_override("phone", "022 345 67 89", geneva).text == "+41223456789"
    assert understand_override("postcode", "1202", geneva) == ("1202", "1202", None)
    reunion = survivors([a_record(A, postcode="97400")])
    assert understand_override("phone", "0262 41 00 00", reunion).text == "+262262410000"
    assert understand_override("postcode", "1000").text == "01000"


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("departement", "69", "field-not-overridable"),
        ("contact", "Zoé", "field-not-overridable"),
        ("paid_until", "2026-12-31", "field-not-overridable"),
        ("city", " \u00a0 ", "value-empty"),
        ("city", "x" * 1_001, "value-too-long"),
        ("city", "Ly\x00on", "value-not-text"),
        ("city", "Ly\ud800on", "value-not-text"),
        ("siren", "732829321", "siren-invalid"),
        ("siret", "732829320", "siret-is-siren"),
        ("vat", "FR00732829320", "vat-invalid"),
        ("naf", "62.01Y", "naf-unknown"),
        ("email", "zoe@", "email-invalid"),
        ("email", "zoe@, max@", "email-invalid"),
        ("phone", "12", "phone-invalid"),
        ("mobile", "12", "mobile-invalid"),
        ("postcode", "99999", "postcode-invalid"),
        ("country", "Wakanda", "country-unknown"),
        ("website", "aucun", "website-invalid"),
    ],
)
def test_what_cannot_be_set_is_refused_with_a_code_and_its_meaning(field: str, value: str, code: str) -> None:
    with pytest.raises(OverrideError) as error:
        understand_override(field, value)
    assert (error.value.field, error.value.code) == (field, code)
    assert str(error.value) == f"{field}: {error.value.meaning}"


anything = st.text(max_size=40) | st.sampled_from(
    ["732829320", "62.01Z", "0472000000", "é@acme.fr", "1000", "x" * 1_000]
)


@given(st.sampled_from(OVERRIDABLE), anything)
def test_whatever_is_typed_is_refused_with_a_meaning_or_understood_for_good(field: str, typed: str) -> None:
    try:
        understood = understand_override(field, typed)
    except OverrideError as refused:
        event(f"refused: {refused.meaning}")
        return
    assert understand_override(field, understood.text) == understood
    shown = orjson.loads(consolidate([LYON], (), [an_override(field, understood.text)]).document)
    name = "contact" if field.startswith("contact_") else field
    assert shown[name]["because"] == "override"


# --- in any order

_overrides = st.lists(
    st.builds(
        an_override,
        field=st.sampled_from(["city", "postcode", "country", "contact_role", "contact_last_name", "phone"]),
        value=st.sampled_from(["Lyon", "42100", "Suisse", "1201", "04 72 00 00 00"]),
        on=st.sampled_from([A, B]),
        order=st.integers(1, 5),
    ),
    min_size=1,
    max_size=6,
    unique_by=lambda override: override.order,
)


@given(_overrides, st.data())
def test_any_order_of_records_and_overrides_gives_the_same_view(
    overrides: Sequence[Override], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(overrides))
    document, other = survivors([LYON, GIER], overrides), survivors([GIER, LYON], shuffled)
    assert orjson.dumps(document) == orjson.dumps(other)
    published = [item for field in document.values() for item in (field, *field.get("others", ()))]
    assert all(item["said_by"] or "override" in item for item in published)
