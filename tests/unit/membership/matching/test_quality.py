"""Quality on a small fixed sample of made-up companies (``tests.support.matching_sample``): what no change may lose."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
from typer.testing import CliRunner

from services.cli.members import matching_crosscheck as crosscheck
from services.cli.members.matching import app
from services.cli.members.matching_sample import read_sample
from services.membership.matching.candidates import Candidates
from services.membership.matching.evaluation import Truth, best_f1
from services.membership.matching.features import Features
from services.membership.matching.levels import compare
from services.membership.matching.score import Judgement, judge
from services.membership.matching.training import fit
from services.membership.matching.weights import load, shipped, write
from services.membership.records.record import RecordKey
from tests.unit.membership.matching.builders import NOTHING

SAMPLE = Path(__file__).parents[3] / "data" / "matching-sample"


@pytest.fixture(scope="module")
def demo() -> tuple[list[Features], Truth]:
    sample = read_sample(SAMPLE)
    return sample.records, sample.truth


def test_the_sample_is_recognised_as_well_as_before() -> None:
    """Every tenth record is a trap, so there is more to ask here, and one threshold is worse, than in earnest."""
    result = CliRunner().invoke(app, ["evaluate", str(SAMPLE), "--json"])
    figures = json.loads(result.stdout)
    assert figures["auto"]["false_pairs"] == 0
    assert figures["auto"]["recall"] >= 0.87
    assert figures["recall_after_review"] >= 0.99
    assert figures["review_per_1000"] <= 112
    assert figures["best_f1"] >= 0.845


@pytest.mark.parametrize("broken", ["guard", "threshold"])
def test_the_sample_tells_when_the_rules_get_worse(
    broken: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    weights = tmp_path / "weights.toml"
    weights.write_text(write(replace(shipped(), auto=3.5) if broken == "threshold" else shipped()), "utf-8")
    if broken == "guard":
        monkeypatch.setattr("services.membership.matching.score.refusal", lambda _: None)
    result = CliRunner().invoke(app, ["evaluate", str(SAMPLE), "--json", "--weights", str(weights)])
    assert json.loads(result.stdout)["auto"]["false_pairs"] > 0


def test_fitting_learns_from_a_truth_and_keeps_what_it_does_not_show(demo: tuple[list[Features], Truth]) -> None:
    records, truth = demo
    index = Candidates(records)
    pairs = list(index.pairs())
    rows = [(compare(a, b, index.classes), (a.key, b.key) in truth.same) for a, b in pairs]
    start = shipped(0)
    fitted = fit(rows, start)
    assert fit(rows[::-1], start) == fitted
    assert fitted.levels["declared"] == start.levels["declared"]
    assert fitted.levels["place"]["far"] == start.levels["place"]["far"]
    before = best_f1([judge(a, b, index.classes, start) for a, b in pairs], truth)[0]
    assert best_f1([judge(a, b, index.classes, fitted) for a, b in pairs], truth)[0] >= before


def test_fitting_nothing_changes_little() -> None:
    assert fit([], shipped(0)) == shipped(0)


def test_fitting_finds_the_odds_that_are_there() -> None:
    equal, different = NOTHING._replace(siren="equal"), NOTHING._replace(siren="different")
    rows = [*[(equal, True)] * 800, *[(equal, False)] * 100, *[(different, True)] * 100, *[(different, False)] * 800]
    fitted = fit(rows, shipped(0), pull=0.001)
    assert fitted.prior + fitted.levels["siren"]["equal"] == pytest.approx(3, abs=0.05)
    assert fitted.prior + fitted.levels["siren"]["different"] == pytest.approx(-3, abs=0.05)


def test_f1_is_measured_at_thresholds_that_can_part_pairs() -> None:
    keys = [RecordKey("north", str(at)) for at in range(4)]
    truth = Truth(frozenset({(keys[0], keys[1])}), frozenset({(keys[0], keys[3])}))
    scored = [
        Judgement(keys[0], keys[1], 5.0, "auto", None, NOTHING),
        Judgement(keys[0], keys[2], 5.0, "auto", None, NOTHING),
        Judgement(keys[0], keys[3], 9.0, "auto", None, NOTHING),  # ambiguous, and so left out
    ]
    assert best_f1(scored, truth) == (pytest.approx(2 / 3), 5.0)


def test_comparing_is_symmetric(demo: tuple[list[Features], Truth]) -> None:
    records, _ = demo
    index = Candidates(records)
    for a, b in index.pairs():
        assert compare(a, b, index.classes) == compare(b, a, index.classes), (a.key, b.key)


def test_comparing_is_fast(demo: tuple[list[Features], Truth]) -> None:
    records, _ = demo
    index = Candidates(records)
    pairs = list(index.pairs())
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        for a, b in pairs:
            judge(a, b, index.classes, shipped())
        best = min(best, (time.process_time() - began) / len(pairs))
    assert best < 100e-6  # of the processor; 10 to 20 µs are usual


# --- the command ---------------------------------------------------------------------------------------------------

_HEADER = "record_id,name,siren,website,phone,street,postcode,city"
_NORTH = [
    "N1,Lumerine SAS,732829320,lumerine.example,04 77 12 34 56,3 rue des Lilas,42000,St-Étienne",
    "N2,Vioreau,,,04 77 12 34 57,5 rue des Iris,42300,Roanne",
    "N3,Avelle Conseil,,avelle.example,,,69003,Lyon",
]
_SOUTH = [
    "S1,LUMERINE,732 829 320,,,,42000,SAINT ETIENNE",
    "S2,Vioreau SARL,,,0477123457,5 R DES IRIS,42300,ROANNE",
    "S3,Avelle,,,,,69003,LYON",
    "S4,Ornesse,,,,,69001,LYON",
]
_PAIRS = ["N1,S1,cross", "N2,S2,cross", "N3,S3,cross"]
_RECORDS = [
    "A,N1,1,x,1,,",
    "A,N2,2,x,1,,",
    "A,N3,3,x,1,,",
    "B,S1,1,x,1,,",
    "B,S2,2,x,1,,",
    "B,S3,3,x,1,,",
    "B,S4,4,x,0,,",
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, rows in {
        "cluster_a.csv": [_HEADER, *_NORTH],
        "cluster_b.csv": [_HEADER, *_SOUTH],
        "truth_pairs.csv": ["record_id_1,record_id_2,kind", *_PAIRS],
        "truth_records.csv": ["source,record_id,entity_id,origin,in_both,kin,dirt", *_RECORDS],
    }.items():
        (tmp_path / name).write_text("\n".join(rows) + "\n", "utf-8")
    return tmp_path


def test_evaluate_prints_the_figures(folder: Path) -> None:
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    assert figures["auto"] == {"precision": 1.0, "recall": round(2 / 3, 4), "false_pairs": 0}
    assert figures["recall_after_review"] == 1.0
    assert figures["review_per_1000"] == round(1000 / 7, 1)
    assert set(figures) == {"auto", "review_per_1000", "recall_after_review", "best_f1", "seconds"}


def test_evaluate_for_people_and_cross_validated(folder: Path) -> None:
    plain = CliRunner().invoke(app, ["evaluate", str(folder)])
    assert plain.exit_code == 0
    assert "equal SIREN alone" in plain.stdout
    assert CliRunner().invoke(app, ["evaluate", str(folder), "--json", "--cross-validate"]).exit_code == 0


def test_figures_fit_eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    plain = CliRunner().invoke(app, ["evaluate", str(SAMPLE)])
    assert "1.0000" in plain.stdout
    assert "…" not in plain.stdout


def test_without_splink_the_command_says_how_to_get_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "splink", None)
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--splink"])
    assert (result.exit_code, "pip install -e '.[crosscheck]'" in result.output) == (2, True)


def test_another_edition_of_splink_is_not_asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("splink")
    other.__dict__["__version__"] = "4.0.17"
    monkeypatch.setitem(sys.modules, "splink", other)
    result = CliRunner().invoke(app, ["evaluate", str(folder), "--splink"])
    assert (result.exit_code, "splink 4.0.17" in result.output) == (2, True)


def test_splink_and_siren_alone_stand_beside(monkeypatch: pytest.MonkeyPatch) -> None:
    """With judgements of ours in splink's place: what it would say itself needs the extra."""
    monkeypatch.setattr("services.cli.members.matching_crosscheck.judgements", _every_pair_that_splink_might_like)
    result = CliRunner().invoke(app, ["evaluate", str(SAMPLE), "--splink", "--json"])
    figures = json.loads(result.stdout)
    assert set(figures["compared"]) == {"siren", "splink", "splink_hindsight"}
    assert figures["compared"]["splink"]["auto"]["false_pairs"] > 0
    assert figures["compared"]["splink_hindsight"]["auto"]["precision"] >= 0.998
    assert figures["compared"]["siren"]["auto"]["recall"] < figures["auto"]["recall"]
    plain = CliRunner().invoke(app, ["evaluate", str(SAMPLE), "--splink"]).stdout
    assert all(name in plain for name in ("Traboule", "equal SIREN alone", "splink, hindsight"))


def _every_pair_that_splink_might_like(records: list[Features]) -> list[Judgement]:
    index = Candidates(records)
    scored = [judge(a, b, index.classes, shipped()) for a, b in index.pairs()]
    return [
        crosscheck.judgement(judgement.a, judgement.b, 2 * judgement.score, crosscheck.AUTO) for judgement in scored
    ]


def test_splink_itself_learns_from_the_sample() -> None:
    pytest.importorskip("splink")
    result = CliRunner().invoke(app, ["evaluate", str(SAMPLE), "--splink", "--json"])
    assert json.loads(result.stdout)["compared"]["splink"]["best_f1"] > 0.6


def test_a_company_and_its_successor_do_not_count(folder: Path) -> None:
    path = folder / "truth_records.csv"
    path.write_text(path.read_text().replace("B,S2,2,x,1,,", "B,S2,9,x,1,successor:2,"))
    (folder / "truth_pairs.csv").write_text("record_id_1,record_id_2,kind\nN1,S1,cross\nN3,S3,cross\n")
    figures = json.loads(CliRunner().invoke(app, ["evaluate", str(folder), "--json"]).stdout)
    assert figures["auto"] == {"precision": 1.0, "recall": 0.5, "false_pairs": 0}


def test_train_writes_a_version_that_evaluate_can_use_and_never_overwrites(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "weights-7.toml"
    result = CliRunner().invoke(app, ["train", str(folder), "--out", str(out), "--version", "7"])
    assert result.exit_code == 0, result.output
    assert load(out).version == 7
    used = CliRunner().invoke(app, ["evaluate", str(folder), "--json", "--weights", str(out)])
    assert used.exit_code == 0
    again = CliRunner().invoke(app, ["train", str(folder), "--out", str(out)])
    assert (again.exit_code, "never overwritten" in again.output) == (2, True)


@pytest.mark.parametrize("missing", ["cluster_b.csv", "truth_pairs.csv", "truth_records.csv"])
def test_a_folder_that_lacks_a_file(folder: Path, missing: str) -> None:
    (folder / missing).unlink()
    result = CliRunner().invoke(app, ["evaluate", str(folder)])
    assert (result.exit_code, missing in result.output) == (2, True)


def test_a_truth_without_its_columns(folder: Path) -> None:
    (folder / "truth_pairs.csv").write_text("left,right\n")
    result = CliRunner().invoke(app, ["evaluate", str(folder)])
    assert result.exit_code == 2
    assert "there is no column record_id_1, record_id_2" in result.output
