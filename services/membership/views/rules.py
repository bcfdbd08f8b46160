"""Which of several values a member is shown with: the rules, field by field, as ``deploy/survivorship.toml`` has them.

The words are here, with the reading of the file; :mod:`survivorship` has what each rule does.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, NoReturn, get_args

from shared.runtime.toml_file import ConfigurationFileError, read_toml

FIELDS = (
    "name",
    "brand",
    "legal_form",
    "siren",
    "siret",
    "vat",
    "rna",
    "naf",
    "website",
    "email",
    "phone",
    "mobile",
    "street",
    "postcode",
    "city",
    "departement",
    "country",
    "headcount",
)
"""The fields of a consolidated view that survive one by one, in the order in which they are shown."""

CONTACT = ("contact_first_name", "contact_last_name", "contact_role")
"""What makes up ``contact``, which survives as a whole: two people's halves are nobody's name."""

DERIVED = "departement"
"""Goes with the postcode that is shown, by no rule of its own."""

RULED = (*(name for name in FIELDS if name != DERIVED), "contact")
"""The fields that a file may have rules for."""

Rule = Literal["understood", "most-recent", "most-trusted", "most-said", "longest"]
RULES: tuple[Rule, ...] = get_args(Rule)

_SHIPPED = Path(__file__).parents[3] / "deploy" / "survivorship.toml"


class RulesFileError(ConfigurationFileError):
    """The file of survivorship rules cannot be used; the message says where, why, and what is allowed."""


class FieldRules(NamedTuple):
    """``rules`` are asked in turn until one decides; ``trust`` holds sources, the most trusted first.

    A source is a cluster's code, or ``cluster/lineage`` for the records of one lineage in it.
    """

    rules: tuple[Rule, ...]
    trust: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SurvivorshipRules:
    """Rules for every field; ``fields`` holds those that have their own."""

    default: FieldRules
    fields: Mapping[str, FieldRules] = field(default_factory=dict)

    def of(self, name: str) -> FieldRules:
        """The rules of one field."""
        return self.fields.get(name, self.default)


def load_rules(path: Path, clusters: Collection[str] | None = None) -> SurvivorshipRules:
    """Read the file of rules (TOML). Raises RulesFileError.

    ``clusters`` are the codes of those that exist, to tell a misspelt source; None leaves sources unchecked.
    """
    tree = read_toml(path, "TRABOULE_MEMBERSHIP_SURVIVORSHIP_FILE", RulesFileError)
    return _Reader(path, clusters).rules(tree)


@lru_cache(maxsize=1)
def shipped_rules() -> SurvivorshipRules:
    """The rules of ``deploy/survivorship.toml`` as it comes with the code, wherever the process runs."""
    return load_rules(_SHIPPED)


class _Reader:
    """One file's tables as rules; knows the file, so that what is wrong can be said with its place."""

    def __init__(self, path: Path, clusters: Collection[str] | None) -> None:
        self._path = path
        self._clusters = clusters

    def rules(self, tree: Mapping[str, Any]) -> SurvivorshipRules:
        self._check_names("", tree, ("default", "fields"), "table")
        if "default" not in tree:
            self._refuse("default", "the table is missing; it holds the rules of every field that has none of its own")
        default = self._field("default", tree["default"], None)
        fields = self._table("fields", tree.get("fields", {}))
        if DERIVED in fields:
            self._refuse(f"fields.{DERIVED}", "it follows the postcode that is shown; write rules for postcode instead")
        self._check_names("fields", fields, RULED, "field")
        read = {name: self._field(f"fields.{name}", entry, default) for name, entry in fields.items()}
        return SurvivorshipRules(default, MappingProxyType(read))

    def _field(self, at: str, entry: Any, default: FieldRules | None) -> FieldRules:
        """What a table leaves out is the default's."""
        table = self._table(at, entry)
        self._check_names(at, table, ("rules", "trust"), "setting")
        if default is None and "rules" not in table:
            self._refuse(f"{at}.rules", f"it is missing; write a list of rules: {', '.join(RULES)}")
        rules = default or FieldRules(())
        if "rules" in table:
            rules = rules._replace(rules=self._list(f"{at}.rules", table["rules"], RULES, "rule"))
        if "trust" in table:
            rules = rules._replace(trust=self._trust(f"{at}.trust", table["trust"]))
        if "most-trusted" in rules.rules and not rules.trust:
            self._refuse(at, 'the rule "most-trusted" needs a list of sources: trust = ["…", "…"]')
        if "trust" in table and "most-trusted" not in rules.rules:
            self._refuse(f"{at}.trust", 'no rule asks for it; add "most-trusted" to the rules, or take the list out')
        return rules

    def _trust(self, at: str, entry: Any) -> tuple[str, ...]:
        sources = self._list(at, entry, None, "source")
        for source in sources:
            cluster, slash, lineage = source.partition("/")
            if not cluster or (slash and not lineage):
                self._refuse(at, f'{source!r} is no source; write "cluster" or "cluster/lineage"')
            if self._clusters is not None and cluster not in self._clusters:
                self._unknown(at, "cluster", cluster, self._clusters)
        return sources

    def _list(self, at: str, entry: Any, allowed: Collection[str] | None, noun: str) -> tuple[Any, ...]:
        if not isinstance(entry, list) or not entry or not all(isinstance(item, str) for item in entry):
            example = f'["{next(iter(allowed))}"]' if allowed else '["…"]'
            self._refuse(at, f"it must be a list of one {noun} or more, each in quotes, such as {example}")
        for number, item in enumerate(entry):
            if allowed is not None and item not in allowed:
                self._unknown(at, noun, item, allowed)
            if item in entry[:number]:
                self._refuse(at, f"{item!r} is there twice; the second would never be asked")
        return tuple(entry)

    def _table(self, at: str, entry: Any) -> Mapping[str, Any]:
        if not isinstance(entry, dict):
            self._refuse(at, f"it must be a table: a line [{at}] with its settings below")
        return entry

    def _check_names(self, at: str, table: Mapping[str, Any], allowed: Collection[str], noun: str) -> None:
        for name in table:
            if name not in allowed:
                self._unknown(at, noun, name, allowed)

    def _unknown(self, at: str, noun: str, name: str, allowed: Iterable[str]) -> NoReturn:
        listed = list(allowed)
        near = get_close_matches(name, listed, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        self._refuse(at, f"there is no {noun} {name!r}{hint}; there are {', '.join(listed)}")

    def _refuse(self, at: str, what: str) -> NoReturn:
        raise RulesFileError(": ".join(part for part in (str(self._path), at, what) if part))
