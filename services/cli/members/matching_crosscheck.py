"""What splink makes of the same records: a second opinion, learnt without the truth, for ``evaluate --splink``.

Offline only. splink is no dependency of a service: it comes with the extra ``crosscheck``, and is imported when asked
for. The model follows splink's own advice: one comparison for each kind of evidence, in levels from equal to different
and with term frequencies, so that a common name or an agency's domain says less; candidates by each key; chances of
agreeing by accident from random pairs, and the rest by expectation maximisation, in sessions that block on different
keys. It sees just what Traboule's own levels see of each record.
"""

import importlib
import logging
from collections.abc import Iterator, Sequence
from typing import Any, Final

from services.membership.matching.features import Features, telling_words
from services.membership.matching.levels import FIELDS, Levels
from services.membership.matching.score import Judgement, Verdict
from services.membership.records.record import RecordKey

INSTALL: Final = "pip install -e '.[crosscheck]'"
AUTO: Final = 6.63
"""Bits: the odds of a probability of 0.99, from which on linked records are usually taken for one."""
REVIEW: Final = -3.17
"""Bits: a probability of 0.1."""
_SEED: Final = 1
_RANDOM_PAIRS: Final = 5_000_000
_WORTH_KEEPING: Final = -10.0
"""Bits. Pairs below are no question for anyone, and there are very many."""
_NOTHING: Final = Levels(*(None for _ in FIELDS))

_BLOCKING: Final[tuple[tuple[str, ...], ...]] = (
    ("siren",), ("name",), ("name_start", "departement"), ("email",), ("address",), ("phones",), ("domains",),
    ("acronyms",), ("words", "departement"), ("words", "naf"),
)  # fmt: skip
_LISTS: Final = frozenset({"phones", "domains", "acronyms", "words"})
_SURE: Final[tuple[tuple[str, ...], ...]] = (("siren",), ("name", "postcode"), ("name", "phone"), ("name", "domain"))
_SURE_RECALL: Final = 0.7
"""The share of true pairs that these rules find: splink wants a guess, and little hangs on it."""
_TRAINING: Final[tuple[tuple[str, ...], ...]] = (("siren",), ("name",), ("domain",), ("phone",))


class CannotCrosscheckError(Exception):
    """There is no second opinion; the message says why."""


def judgements(records: Sequence[Features]) -> list[Judgement]:
    """Of the pairs that splink holds possible; scores are its match weights, in bits."""
    splink = _splink()
    logging.getLogger("splink").setLevel(logging.ERROR)
    linker = splink.Linker(splink.DuckDBAPI().register(_columns(records)), _settings(splink), log_level=logging.ERROR)
    try:
        _train(linker, splink)
        result = linker.inference.predict(threshold_match_weight=_WORTH_KEEPING).as_dict()
    except Exception as error:  # whatever splink raises when there is too little to learn from
        why = next(iter(str(error).splitlines()), type(error).__name__)
        raise CannotCrosscheckError(f"splink could not learn from these {len(records)} records: {why}") from error
    keys = [record.key for record in records]
    judged: list[Judgement] = []
    for left, right, weight in zip(result["unique_id_l"], result["unique_id_r"], result["match_weight"], strict=True):
        a, b = sorted((keys[left], keys[right]))
        judged.append(judgement(a, b, float(weight), AUTO))
    return judged


def judgement(a: RecordKey, b: RecordKey, score: float, auto: float) -> Judgement:
    """Of a score alone, without a guard."""
    verdict: Verdict = "auto" if score >= auto else "review" if score >= REVIEW else "apart"
    return Judgement(a, b, score, verdict, None, _NOTHING)


def _splink() -> Any:
    try:
        splink = importlib.import_module("splink")
    except ImportError:
        raise CannotCrosscheckError(f"splink is not installed; get it with: {INSTALL}") from None
    if splink.__version__.partition(".")[0] != "5":
        raise CannotCrosscheckError(
            f"splink {splink.__version__} is not the edition that is asked here; get it with: {INSTALL}"
        )
    return splink


def _columns(records: Sequence[Features]) -> dict[str, list[Any]]:
    rows = [{"unique_id": at, **dict(_values(record))} for at, record in enumerate(records)]
    return {column: [row[column] for row in rows] for column in rows[0]}


def _values(features: Features) -> Iterator[tuple[str, Any]]:
    """One record as splink's columns; what is not known is None, which says nothing there either."""
    name = features.names[0] if features.names else None
    yield "name", name
    yield "brand", features.names[1] if len(features.names) > 1 else None
    yield "name_start", name[:4] if name else None
    yield "name_words", name.split() if name else None
    yield "words", sorted({word for known in features.names for word in telling_words(known)}) or None
    yield "acronyms", sorted({*features.acronyms, *(known for known in features.names if 3 <= len(known) <= 8)}) or None
    yield "siren", features.siren
    yield "domain", features.domains[0] if features.domains else None
    yield "domains", list(features.domains) or None
    yield "email", features.email
    yield "phone", features.phones[0] if features.phones else None
    yield "phones", list(features.phones) or None
    yield "street", features.street or None
    yield "number", features.number
    yield (
        "address",
        f"{features.postcode}|{features.number}|{features.street}"
        if features.postcode and features.number and features.street
        else None,
    )
    yield "postcode", features.postcode
    yield "town", features.town or None
    yield "departement", features.departement
    yield "naf", features.naf
    yield "contact", features.contact
    yield "form", features.form


def _settings(splink: Any) -> Any:
    return splink.SettingsCreator(
        link_type="dedupe_only",
        comparisons=_comparisons(),
        blocking_rules_to_generate_predictions=[_block(splink, rule) for rule in _BLOCKING],
        retain_matching_columns=False,
    )


def _block(splink: Any, columns: Sequence[str]) -> Any:
    lists = [column for column in columns if column in _LISTS]
    return splink.block_on(*columns, arrays_to_explode=lists) if lists else splink.block_on(*columns)


def _train(linker: Any, splink: Any) -> None:
    training = linker.training
    training.estimate_probability_two_random_records_match(
        [_block(splink, rule) for rule in _SURE], recall=_SURE_RECALL
    )
    training.estimate_u_using_random_sampling(max_pairs=_RANDOM_PAIRS, seed=_SEED)
    for rule in _TRAINING:
        training.estimate_parameters_using_expectation_maximisation(_block(splink, rule), record_sample_proportion=1.0)


# --- what is compared ----------------------------------------------------------------------------------------------


def _comparisons() -> list[Any]:
    library = importlib.import_module("splink.comparison_library")
    level = importlib.import_module("splink.comparison_level_library")

    def compared(column: str, *levels: Any) -> Any:
        return library.CustomComparison(
            [level.NullLevel(column), *levels, level.ElseLevel()], output_column_name=column
        )

    def same(column: str) -> Any:
        return level.ExactMatchLevel(column, term_frequency_adjustments=True)

    def when(condition: str, called: str) -> Any:
        return level.CustomLevel(condition, called)

    return [
        compared(
            "name",
            same("name"),
            when("name_l = brand_r or brand_l = name_r or brand_l = brand_r", "brand"),
            level.JaroWinklerLevel("name", 0.95),
            level.JaroWinklerLevel("name", 0.88),
            level.ArraySubsetLevel("name_words"),
            when("list_has_any(words_l, words_r)", "a telling word"),
            level.JaroWinklerLevel("name", 0.7),
        ),
        compared("siren", level.ExactMatchLevel("siren"), level.DamerauLevenshteinLevel("siren", 1)),
        compared("domain", same("domain"), level.ArrayIntersectLevel("domains", 1)),
        compared("email", same("email"), level.JaroWinklerLevel("email", 0.9)),
        compared("phone", same("phone"), level.ArrayIntersectLevel("phones", 1)),
        compared(
            "street",
            when("street_l = street_r and number_l = number_r", "number and street"),
            when("street_l = street_r and (number_l is null or number_r is null)", "street, no number"),
            level.JaroWinklerLevel("street", 0.92),
        ),
        compared(
            "postcode",
            same("postcode"),
            when("town_l = town_r", "town"),
            when("departement_l = departement_r", "département"),
        ),
        compared("naf", same("naf"), when("naf_l[1:2] = naf_r[1:2]", "division")),
        compared("contact", same("contact"), level.JaroWinklerLevel("contact", 0.9)),
        compared("form", level.ExactMatchLevel("form")),
    ]
