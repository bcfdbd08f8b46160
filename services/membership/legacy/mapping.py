"""Files of no known product: which of their columns say which field of a record, as somebody names them or is likely.

A mapping turns headers into field names, so that the file is a plain table.
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from schemas.membership import MemberRecorded
from services.membership.legacy.identifiers import ADDED
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Table, normal

_LIKELY: Final[Mapping[str, tuple[str, ...]]] = {
    "record_id": ("id", "identifiant", "numéro", "n°", "code", "code client", "code adhérent", "numéro d'adhérent",
                  "n° adhérent", "référence", "numéro de membre"),
    "name": ("raison sociale", "nom", "société", "entreprise", "dénomination", "nom de l'entreprise", "structure",
             "organisation", "nom de la structure"),
    "email": ("email", "e-mail", "mail", "courriel", "adresse e-mail", "adresse mail"),
    "phone": ("téléphone", "tél", "tel", "tél.", "téléphone fixe", "standard"),
    "mobile": ("portable", "mobile", "gsm", "téléphone portable"),
    "street": ("adresse", "rue", "adresse postale", "adresse 1"),
    "postcode": ("code postal", "cp"),
    "city": ("ville", "commune"),
    "country": ("pays",),
    "contact_first_name": ("prénom", "prénom du contact"),
    "contact_last_name": ("nom du contact", "contact"),
    "contact_role": ("fonction", "poste"),
    "category": ("catégorie", "type d'adhérent", "type"),
    "status": ("statut", "état"),
    "member_since": ("date d'adhésion", "adhérent depuis", "date d'inscription"),
    "paid_until": ("fin d'adhésion", "échéance", "date d'échéance", "valable jusqu'au"),
    **ADDED,
}  # fmt: skip


def parse(words: Iterable[str], fields: Sequence[str] = tuple(MemberRecorded.model_fields)) -> dict[str, str]:
    """``"Raison sociale=name"`` by normalised header. Raises UnreadableError for a field that there is not."""
    result: dict[str, str] = {}
    for word in words:
        header, equals, name = word.rpartition("=")
        field = name.strip()
        if not equals or not header.strip():
            raise UnreadableError(f'--map "{word}" is no mapping: write "Raison sociale=name"')
        if field not in fields:
            near = difflib.get_close_matches(field, fields, n=1)
            hint = f'; did you mean "{near[0]}"?' if near else f"; there are {', '.join(fields)}"
            raise UnreadableError(f'--map "{word}": there is no field "{field}"{hint}')
        result[normal(header)] = field
    return result


def apply(table: Table, mapping: Mapping[str, str]) -> Table:
    """The same file with field names as headers where the mapping has one.

    Another column that is called like such a field gives way. Raises UnreadableError for a lost column.
    """
    missing = [header for header in mapping if header not in table.names]
    if missing:
        raise UnreadableError(f'{table.path}: there is no column "{missing[0]}", which --map names')
    return replace(table, headers=tuple(_called(header, mapping) for header in table.headers))


def _called(header: str, mapping: Mapping[str, str]) -> str:
    name = normal(header)
    return mapping.get(name) or (f"{header} (unmapped)" if name in mapping.values() else header)


def propose(headers: Sequence[str]) -> dict[str, str]:
    """The likely field of each header, each field once."""
    result: dict[str, str] = {}
    for field, names in _LIKELY.items():
        known = {normal(header): header for header in headers if header not in result}
        exact = next((known[name] for name in names if name in known), None)
        if exact is None:
            near = (difflib.get_close_matches(name, list(known), n=1, cutoff=0.85) for name in names)
            exact = next((known[some[0]] for some in near if some), None)
        if exact is not None and field not in result.values():
            result[exact] = field
    return result


def proposal(headers: Sequence[str]) -> str:
    """The options that a person may take over, or "" where nothing is likely to be a name and an id."""
    result = propose(headers)
    if not {"name", "record_id"} <= set(result.values()):
        return ""
    return " ".join(f'--map "{header.strip()}={field}"' for header, field in result.items())
