"""Issuers: dated settings of legal bodies, and clear errors where a file cannot be right."""

import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from deploy.provisioning.provision import CLUSTERS, ISSUERS
from schemas.billing_grids import Vat
from services.billing.issuers.file import IssuersFileError, load_issuers
from services.billing.issuers.issuer import Settings, vat_refusal
from shared.runtime.clusters import load_clusters
from tests.support.dues import DUES, a_grid

KNOWN = ("clustr-numerique", "numelink")
LINES = """
[issuers.merged]
clusters = ["numelink"]
[[issuers.merged.settings]]
since = 2027-01-01
name = "Traboule"
address = { street = "1 place", postcode = "69004", city = "Lyon" }
siren = "323456780"
regime = "outside-vat"
penalties = "Trois fois le taux d'intérêt légal"
"""


def some_settings(**different: Any) -> Settings:
    usual = tomllib.loads(LINES)["issuers"]["merged"]["settings"][0]
    return Settings.model_validate(usual | different)


def test_each_cluster_bills_until_the_merger_and_the_merged_body_from_then_on() -> None:
    issuers = load_issuers(ISSUERS, load_clusters(CLUSTERS))
    for day, there in ((date(2026, 12, 31), {"clustr-numerique", "numelink"}), (date(2027, 1, 1), {"merged"})):
        assert {code for code, issuer in issuers.items() if issuer.on(day)} == there


def test_a_setting_holds_from_its_day_on(tmp_path: Path) -> None:
    later = LINES[LINES.index("[[") :].replace("2027-01-01", "2027-07-01").replace("outside-vat", "franchise")
    (tmp_path / "issuers.toml").write_text(LINES + later)
    issuer = load_issuers(tmp_path / "issuers.toml", KNOWN)["merged"]
    days = (date(2026, 12, 31), date(2027, 6, 30), date(2027, 7, 1))
    assert [found and found.regime for found in map(issuer.on, days)] == [None, "outside-vat", "franchise"]
    assert [found.regime for found in map(issuer.last_on, days)] == ["outside-vat", "outside-vat", "franchise"]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('siren = "323456780"', 'siren = "323456781"', "nine digits"),
        ('regime = "outside-vat"', 'regime = "taxed"', "an issuer that is taxed has one"),
        ("penalties", 'vat_number = "FR44732829320"\npenalties', "must not show one"),
        ("penalties", 'iban = "FR7630006000011234567890188"\npenalties', "iban: its check digits"),
        ("penalties", 'creditor_id = "FR00ZZZ123456"\npenalties', "creditor_id: its check digits"),
        ("penalties", "misspelt = 1\npenalties", "misspelt"),
        ("penalties", 'accounts = { cash = "53" }\npenalties', "accounts.cash"),
        ("penalties", 'account = "411é"\npenalties', "account: "),
        ('clusters = ["numelink"]', 'clusters = ["lyon"]', "there is no cluster 'lyon'; there are clustr-numerique"),
        ("[issuers.merged]", "[issuers.merged", "this is not TOML"),
        ('clusters = ["numelink"]', 'clusters = ["numelink"]\nuntil = 2026-12-31', "before the first day"),
    ],
)
def test_a_file_that_cannot_be_right_is_refused_with_its_place(
    tmp_path: Path, before: str, after: str, message: str
) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(LINES.replace(before, after, 1))
    with pytest.raises(IssuersFileError, match=message):
        load_issuers(path, KNOWN)


def test_two_issuers_of_one_cluster_on_one_day_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "issuers.toml"
    path.write_text(LINES + LINES.replace("merged", "other"))
    with pytest.raises(IssuersFileError, match="merged and other would both bill numelink"):
        load_issuers(path, KNOWN)


@pytest.mark.parametrize(
    ("regime", "number", "vat", "refused"),
    [
        ("outside-vat", None, Vat(), False),
        ("outside-vat", None, Vat.model_validate({"regime": "taxed", "rate": "20"}), True),
        ("franchise", None, Vat.model_validate({"regime": "taxed", "rate": "20"}), True),
        ("franchise", None, Vat(regime="franchise"), False),
        ("taxed", "FR06323456780", Vat.model_validate({"regime": "taxed", "rate": "20"}), False),
        ("taxed", "FR06323456780", Vat(regime="franchise"), True),
    ],
)
def test_vat_that_an_issuer_must_not_show_is_refused(regime: Any, number: str | None, vat: Vat, refused: bool) -> None:
    settings = some_settings(regime=regime, vat_number=number)
    grid = a_grid(lines=(DUES.model_copy(update={"vat": vat}),))
    assert (vat_refusal(grid, settings) is not None) == refused
