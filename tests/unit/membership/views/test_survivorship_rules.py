"""Which value is shown, by which rule, whatever the order; and what is said of a file of rules that cannot be used."""

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.provisioning.provision import CLUSTERS as CLUSTERS_FILE
from schemas.membership import MemberRecorded
from services.membership.normalisation.normalised_record import meaning
from services.membership.records.record import RecordKey, SourceRecord, as_written
from services.membership.settings import MembershipSettings
from services.membership.views.consolidation import consolidate
from services.membership.views.rules import RULES, FieldRules, RulesFileError, SurvivorshipRules, load_rules
from services.membership.views.survivorship import survivors
from shared.runtime.clusters import load_clusters
from tests.support.any_order import NAMES, SIRENS

CLUSTERS = load_clusters(CLUSTERS_FILE)


def a_record(source: str, **document: Any) -> SourceRecord:
    key = RecordKey(*source.split("/"))
    fact = MemberRecorded(**{"record_id": key.record_id, "version": 1, "name": "Ateliers", **document})
    means = meaning(fact, CLUSTERS[key.cluster])
    written = as_written(fact.model_dump_json(exclude_none=True).encode())
    return SourceRecord(key, written, means.document, means.siren, means.same_as, means.name_key, None)


def by(*rules: str, trust: tuple[str, ...] = ()) -> SurvivorshipRules:
    return SurvivorshipRules(FieldRules(rules, trust))  # type: ignore[arg-type]


A, B, C = "clustr-numerique/A", "numelink/B", "numelink/C"


# --- each rule


@pytest.mark.parametrize(
    ("rules", "first", "second", "shown"),
    [
        (by("understood"), {"email": "zoe"}, {"email": "zoe@acme.fr"}, "zoe@acme.fr"),
        (by("most-recent"), {"email": "a@acme.fr", "modified_on": "2025-01-01"},
         {"email": "b@acme.fr", "modified_on": "2026-01-01"}, "b@acme.fr"),
        (by("most-recent"), {"email": "a@acme.fr"}, {"email": "b@acme.fr", "modified_on": "2020-01-01"}, "b@acme.fr"),
        (by("most-recent"), {"email": "a@acme.fr", "modified_on": "2025-01-01", "created_on": "2019-01-01"},
         {"email": "b@acme.fr", "created_on": "2026-01-01"}, "b@acme.fr"),
        (by("most-trusted", trust=("numelink",)), {"email": "a@acme.fr"}, {"email": "b@acme.fr"}, "b@acme.fr"),
        (by("most-trusted", trust=("numelink/rhonealley", "clustr-numerique")),
         {"email": "a@acme.fr"}, {"email": "b@acme.fr", "lineage": "rhonealley"}, "b@acme.fr"),
        (by("most-trusted", trust=("numelink/rhonealley", "clustr-numerique")),
         {"email": "a@acme.fr"}, {"email": "b@acme.fr", "lineage": "numelink"}, "a@acme.fr"),
        (by("longest"), {"email": "a@acme.fr"}, {"email": "bb@acme.fr"}, "bb@acme.fr"),
    ],
)  # fmt: skip
def test_a_rule_decides(rules: SurvivorshipRules, first: dict[str, Any], second: dict[str, Any], shown: str) -> None:
    email = survivors([a_record(A, **first), a_record(B, **second)], rules=rules)["email"]
    assert (email["value"], email["because"]) == (shown, rules.default.rules[0])


def test_what_more_records_say_is_shown_and_the_last_changed_of_them_is_named_first() -> None:
    records = [
        a_record(A, siren="552100554", modified_on="2026-05-01"),
        a_record(B, siren="732829320", modified_on="2025-01-01"),
        a_record(C, siren="732 829 320", created_on="2025-06-01"),
    ]
    assert survivors(records, rules=by("understood", "most-said", "most-recent"))["siren"] == {
        "value": "732829320",
        "said_by": [C, B],
        "said_on": {C: "2025-06-01", B: "2025-01-01"},
        "because": "most-said",
        "others": [{"value": "552100554", "said_by": [A], "said_on": {A: "2026-05-01"}}],
    }


def test_rules_are_asked_in_turn_and_the_one_that_decides_is_named() -> None:
    records = [
        a_record(A, email="zoe", modified_on="2026-05-01"),
        a_record(B, email="b@acme.fr", modified_on="2025-01-01"),
        a_record(C, email="c@acme.fr", modified_on="2025-02-01"),
    ]
    email = survivors(records, rules=by("understood", "longest", "most-recent"))["email"]
    assert (email["value"], email["because"]) == ("c@acme.fr", "most-recent")
    assert [item["value"] for item in email["others"]] == ["b@acme.fr", "zoe"]


def test_where_no_rule_decides_the_order_of_keys_does() -> None:
    city = survivors([a_record(B, city="LYON 3"), a_record(A, city="Lyon")])["city"]
    assert city == {
        "value": "Lyon",
        "said_by": [A],
        "because": "record-order",
        "others": [{"value": "LYON 3", "said_by": [B]}],
    }


def test_where_all_say_the_same_there_is_no_reason_to_give_and_who_has_no_date_is_left_out() -> None:
    records = [a_record(A, city="Lyon"), a_record(B, city="Lyon", created_on="2020-02-02")]
    assert survivors(records)["city"] == {"value": "Lyon", "said_by": [B, A], "said_on": {B: "2020-02-02"}}


def test_the_departement_is_that_of_the_postcode_that_is_shown() -> None:
    lyon = a_record(A, postcode="69003", modified_on="2025-01-01")
    geneva = a_record(B, postcode="1201", country="Suisse", modified_on="2026-01-01")
    valence = a_record(C, postcode="26000", modified_on="2026-02-01")
    fields = survivors([lyon, geneva])
    assert fields["postcode"]["value"] == "1201"
    assert "departement" not in fields
    assert survivors([lyon, geneva, valence])["departement"] == {
        "value": "26",
        "said_by": [C],
        "said_on": {C: "2026-02-01"},
        "because": "most-recent",
        "others": [{"value": "69", "said_by": [A], "said_on": {A: "2025-01-01"}}],
    }


def test_a_contact_is_one_person() -> None:
    records = [
        a_record(A, contact_first_name="Zoé", contact_last_name="Martin", modified_on="2025-01-01"),
        a_record(B, contact_last_name="Durand", contact_role="DG", modified_on="2026-01-01"),
    ]
    assert survivors(records)["contact"]["value"] == {"last_name": "Durand", "role": "DG"}
    assert survivors(records, rules=by("longest"))["contact"]["value"] == {"first_name": "Zoé", "last_name": "Martin"}


# --- in any order

_emails = ["a@exemple.fr", "bb@exemple.fr", "c", None]
_days = ["2025-01-01", "2026-01-01", None]
_stated = st.fixed_dictionaries(
    {
        "name": st.sampled_from(NAMES),
        "siren": st.sampled_from(SIRENS),
        "email": st.sampled_from(_emails),
        "postcode": st.sampled_from(["69003", "42000", "1201", "abc", None]),
        "country": st.sampled_from(["Suisse", "France", None]),
        "naf": st.sampled_from(["62.01Z", "62.10Y", "x", None]),
        "contact_last_name": st.sampled_from(["Martin", "Durand", None]),
        "modified_on": st.sampled_from(_days),
        "created_on": st.sampled_from(_days),
        "lineage": st.sampled_from(["rhonealley", None]),
    }
)
_records = st.lists(
    st.tuples(st.sampled_from([f"{cluster}/{number}" for cluster in CLUSTERS for number in (1, 2, 3)]), _stated),
    min_size=1,
    unique_by=lambda item: item[0],
).map(lambda published: [a_record(source, **answer) for source, answer in published])
_rules = st.lists(st.sampled_from(RULES), unique=True, max_size=4).map(
    lambda rules: by(*rules, trust=("numelink/rhonealley", "clustr-numerique"))
)


@given(_records, _rules, st.data())
def test_any_order_of_records_gives_the_same_answer(
    records: list[SourceRecord], rules: SurvivorshipRules, data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(records))
    assert orjson.dumps(survivors(shuffled, rules=rules)) == orjson.dumps(survivors(records, rules=rules))


@given(_records, _rules)
def test_every_value_that_was_said_is_told_once_and_every_record_is_named(
    records: list[SourceRecord], rules: SurvivorshipRules
) -> None:
    for name, field in survivors(records, rules=rules).items():
        published = [field, *field.get("others", ())]
        speakers = [speaker for item in published for speaker in item["said_by"]]
        assert len(speakers) == len(set(speakers)), name
        assert len({orjson.dumps(item["value"]) for item in published}) == len(published), name
        assert ("because" in field) == (len(published) > 1), name
        if name in {"name", "email", "siren"}:
            expected = {str(record.key) for record in records if record.written.get(name)}
            assert set(speakers) == expected


@given(_records)
def test_a_record_alone_says_what_it_says_beside_an_empty_one(records: list[SourceRecord]) -> None:
    nobody = SourceRecord(RecordKey("numelink", "9"), {}, {}, None, None, "", None)
    assert survivors(records[:1]) == survivors([records[0], nobody])


def test_a_list_is_sorted_by_the_name_that_is_shown() -> None:
    records = [
        a_record(A, name="Zinc SAS", modified_on="2025-01-01"),
        a_record(B, name="Écluse", modified_on="2026-01-01"),
    ]
    assert consolidate(records, ()).sort_key == "ecluse"
    assert consolidate(records, (), rules=by("longest")).sort_key == "zinc sas"
    assert consolidate(records[:1], ()).sort_key == "zinc sas"


# --- the file


def test_the_shipped_file_is_found_where_the_setting_says_and_fits_the_shipped_clusters() -> None:
    default = MembershipSettings.model_fields["survivorship_file"].default
    rules = load_rules(CLUSTERS_FILE.parents[1] / default, CLUSTERS)
    assert rules.of("name").rules == ("understood", "most-recent")
    assert rules.of("siren").rules == ("understood", "most-said", "most-recent")
    assert rules.of("siret") == rules.default


def test_the_examples_in_the_shipped_file_can_be_used_as_they_are(tmp_path: Path) -> None:
    shipped = (CLUSTERS_FILE.parent / "survivorship.toml").read_text("utf-8")
    kept, _, examples = shipped.partition("# Examples.")
    uncommented = [
        line.removeprefix("# ") for line in examples.splitlines() if line.startswith(("# [", "# rules", "# trust"))
    ]
    rules = load_rules(a_file(tmp_path, kept + "\n".join(uncommented)), CLUSTERS)
    assert rules.of("brand") == (
        ("most-trusted", "most-recent"),
        ("numelink/rhonealley", "clustr-numerique", "numelink"),
    )
    assert rules.of("legal_form").rules == ("longest", "most-recent")


def a_file(folder: Path, text: str | bytes) -> Path:
    path = folder / "survivorship.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


DEFAULT = '[default]\nrules = ["understood", "most-recent"]\n'


def test_what_a_field_leaves_out_is_the_defaults(tmp_path: Path) -> None:
    text = '[default]\nrules = ["most-trusted"]\ntrust = ["numelink"]\n[fields.email]\ntrust = ["clustr-numerique"]\n'
    rules = load_rules(a_file(tmp_path, text), CLUSTERS)
    assert rules.of("email") == (("most-trusted",), ("clustr-numerique",))
    assert rules.of("city") == (("most-trusted",), ("numelink",))


def test_a_file_from_notepad_can_be_read(tmp_path: Path) -> None:
    assert load_rules(a_file(tmp_path, b"\xef\xbb\xbf" + DEFAULT.replace("\n", "\r\n").encode())).fields == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[default\n", "this is not TOML: Expected ']' at the end of a table declaration (at line 1, column 9)"),
        (b"\xe9", "the file must be saved as UTF-8: "),
        ("", "default: the table is missing; it holds the rules of every field that has none of its own"),
        ("default = 1", "default: it must be a table: a line [default] with its settings below"),
        ("[default]", "default.rules: it is missing; write a list of rules: understood, most-recent, "),
        (DEFAULT + "[feilds]", "there is no table 'feilds' (did you mean 'fields'?); there are default, fields"),
        (DEFAULT + "[fields.e-mail]", "fields: there is no field 'e-mail' (did you mean 'email'?); there are name, "),
        (DEFAULT + "[fields.departement]", "fields.departement: it follows the postcode that is shown; write rules "),
        (DEFAULT + "[fields]\nemail = 1", "fields.email: it must be a table: a line [fields.email] with its settings"),
        (DEFAULT + "[fields.email]\nrule = []", "fields.email: there is no setting 'rule' (did you mean 'rules'?); "),
        (
            DEFAULT + '[fields.email]\nrules = ["most-recnt"]',
            "fields.email.rules: there is no rule 'most-recnt' (did you mean 'most-recent'?); there are understood, ",
        ),
        (DEFAULT + '[fields.email]\nrules = "longest"', "fields.email.rules: it must be a list of one rule or more, "),
        (DEFAULT + "[fields.email]\nrules = []", "fields.email.rules: it must be a list of one rule or more, each in"),
        (
            DEFAULT + '[fields.email]\nrules = ["longest", "longest"]',
            "fields.email.rules: 'longest' is there twice; the second would never be asked",
        ),
        (
            DEFAULT + '[fields.email]\nrules = ["most-trusted"]',
            'fields.email: the rule "most-trusted" needs a list of sources: trust = ["…", "…"]',
        ),
        (
            DEFAULT + '[fields.email]\ntrust = ["numelink"]',
            'fields.email.trust: no rule asks for it; add "most-trusted" to the rules, or take the list out',
        ),
        (
            DEFAULT + '[fields.email]\nrules = ["most-trusted"]\ntrust = ["numelik"]',
            "fields.email.trust: there is no cluster 'numelik' (did you mean 'numelink'?); there are clustr-numerique, "
            "numelink",
        ),
        (
            DEFAULT + '[fields.email]\nrules = ["most-trusted"]\ntrust = ["numelink/"]',
            'fields.email.trust: \'numelink/\' is no source; write "cluster" or "cluster/lineage"',
        ),
    ],
)
def test_a_bad_file_is_told_with_its_place_and_what_is_allowed(tmp_path: Path, text: str | bytes, message: str) -> None:
    path = a_file(tmp_path, text)
    with pytest.raises(RulesFileError) as error:
        load_rules(path, CLUSTERS)
    assert str(error.value).startswith(f"{path}: {message}")


def test_a_missing_file_is_told_with_the_setting(tmp_path: Path) -> None:
    with pytest.raises(RulesFileError, match="no such file; set TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE"):
        load_rules(tmp_path / "none.toml")
    with pytest.raises(RulesFileError, match="cannot be read"):
        load_rules(tmp_path)
