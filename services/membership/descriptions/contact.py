"""One source record as communications must know it: a pure function of the record and of its member's view."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from schemas.membership_contacts import ContactDescribed
from services.membership.records.record import SourceRecord

_COPIED: Final = ("is_member", "status", "opt_outs")
_SALUTATION: Final = frozenset({"civilité", "titre", "titre de civilité", "individual prefix", "prefix", "title"})
_LANGUAGE: Final = frozenset({"langue", "langue préférée", "langue par défaut", "language", "preferred language"})
_FRENCH: Final = frozenset({"fr", "fra", "français", "francais", "french"})
_ENGLISH: Final = frozenset({"en", "eng", "anglais", "english"})


def contact_of(record: SourceRecord, view: Mapping[str, Any] | None) -> ContactDescribed:
    """The contact under version 0. ``view`` is the member's document, None where no record of it is left."""
    written, understood, shown = record.written, record.understood, view or {}
    extra: Mapping[str, str] = written.get("extra", {})
    return ContactDescribed(
        version=0,
        cluster=record.key.cluster,
        record_id=record.key.record_id,
        member_id=record.member_id,
        removed=record.removed,
        name=written.get("name"),
        first_name=written.get("contact_first_name"),
        last_name=written.get("contact_last_name"),
        role=written.get("contact_role"),
        salutation=_salutation(extra),
        language=_language(extra),
        email_written=written.get("email"),
        email=understood.get("email"),
        shown_name=_shown(shown, "name"),
        shown_email=_shown(shown, "email"),
        lineage=understood.get("lineage"),
        **{name: written[name] for name in _COPIED if written.get(name) is not None},
    )


def _shown(view: Mapping[str, Any], name: str) -> str | None:
    return (view.get(name) or {}).get("value")


def _salutation(extra: Mapping[str, str]) -> str | None:
    """As the former system writes it in a column of its own; what is longer than a salutation is none."""
    written = _cell(extra, _SALUTATION)
    return written if written and len(written) <= 40 else None


def _language(extra: Mapping[str, str]) -> Literal["fr", "en"] | None:
    """``fr`` or ``en``, from ``fr_FR``, ``French``, ``Anglais``…; None where nothing is known."""
    written = (_cell(extra, _LANGUAGE) or "").casefold()
    names = {written, written.replace("-", "_").partition("_")[0]}
    return "fr" if names & _FRENCH else "en" if names & _ENGLISH else None


def _cell(extra: Mapping[str, str], headers: frozenset[str]) -> str | None:
    cells = (text.strip() for header, text in sorted(extra.items()) if header.strip().casefold() in headers)
    return next(filter(None, cells), None)
