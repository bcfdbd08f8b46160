"""What services found of a condition, in French: they say it in English, with numbers and names in it.

What is not known here is shown as the service says it.
"""

import re
from collections.abc import Mapping
from typing import Final

from services.gateway.console.catalogue import Words
from services.gateway.console.display import moment
from services.gateway.console.pages.cutover_service_findings import AT as _AT
from services.gateway.console.pages.cutover_service_findings import findings_of_services, record_name
from services.gateway.console.pages.cutover_words import service_name, stage_name

_PIECES: Final = re.compile(r"; |, (?=\d+ messages )")
"""Between findings of one condition that are said in one line."""


def found(detail: str, words: Words) -> str | None:
    """A finding in the page's language; None for one that is not known here."""
    known = _for_switch(words) | _of_services(words) | _for_rollback(words) | findings_of_services(words)
    if (whole := _in(known, detail, words)) is not None:
        return whole
    pieces = [_in(known, piece, words) for piece in _PIECES.split(detail)]
    return None if None in pieces else " ".join(piece for piece in pieces if piece)


def _in(known: Mapping[str, str], detail: str, words: Words) -> str | None:
    for pattern, text in known.items():
        if (match := re.fullmatch(pattern, detail, re.DOTALL)) is not None:
            return text % _values(match.groupdict(), words)
    return None


def _values(named: Mapping[str, str], words: Words) -> dict[str, str]:
    values = dict(named)
    if "at" in values:
        values["at"] = moment(f"{values['at']}+00:00", words.language)
    if "stage" in values:
        values["stage"] = stage_name(values["stage"], words)
    if "service" in values:
        values["service"] = service_name(values["service"], words)
    if "dns" in values:
        values["dns"] = ", ".join(record_name(name, words) for name in values["dns"].split(", "))
    return values


def _for_switch(words: Words) -> dict[str, str]:
    return {
        r"it is in stage (?P<stage>legacy|mirror|live|retired)": words.message("Étape : %(stage)s."),
        r"it was never compared with what the former system holds": words.message("Jamais comparé."),
        rf"compared at {_AT}, (?P<count>\d+) open differences": words.message(
            "Comparé le %(at)s ; écarts ouverts : %(count)s."
        ),
        r"what we would have done was never compared with what it did": words.message("Jamais répété."),
        rf"rehearsed at {_AT} what was done since (?P<day>[\d-]+) \((?P<kinds>.*)\), (?P<count>\d+) open differences": (
            words.message("Répété le %(at)s depuis le %(day)s (%(kinds)s) ; écarts ouverts : %(count)s.")
        ),
        rf"rehearsed at {_AT} .*: it has to go back a year": words.message(
            "Répété le %(at)s, mais pas sur une année entière."
        ),
        rf"rehearsed at {_AT} .*: it compared nothing, and (?P<count>\d+) records are held": words.message(
            "Répété le %(at)s sans rien comparer ; fiches d’ici : %(count)s."
        ),
        r"no message waits": words.message("Aucun message n’attend."),
        r"(?P<count>\d+) messages wait in (?P<queue>[^ ]+(, [^ ]+)*)": words.message(
            "Messages en attente : %(count)s (%(queue)s)."
        ),
        r"(?P<count>\d+) announcements have waited for more than (?P<seconds>\d+) s to be sent": words.message(
            "Annonces en attente depuis plus de %(seconds)s s : %(count)s."
        ),
        r"(?P<count>\d+) of its messages are parked": words.message("Messages mis de côté : %(count)s."),
        r"(?P<count>\d+) late messages wait for a person": words.message("Messages tardifs en attente : %(count)s."),
        r"staff can write here": words.message("C’est possible."),
        r"(?P<service>\w+) takes no commands of its own yet": words.message(
            "%(service)s ne prend pas encore d’ordres."
        ),
        r"it is not known here how many people and keys may write": words.message(
            "Qui peut écrire n’est pas connu ici."
        ),
        r"(?P<count>\d+) people and keys may write": words.message("Personnes et clés qui peuvent écrire : %(count)s."),
        r"no backup was ever noted": words.message("Aucune sauvegarde n’a été notée."),
        rf"the last backup was noted at {_AT}": words.message("Dernière sauvegarde notée le %(at)s."),
    }


def _of_services(words: Words) -> dict[str, str]:
    return {
        r"its members are billed by (?P<names>.+)": words.message("Facturé par : %(names)s."),
        r"no legal body bills its members": words.message("Personne ne facture ses membres."),
        r"(?P<count>\d+) grids of (?P<names>.+) are adopted": words.message(
            "Grilles adoptées de %(names)s : %(count)s."
        ),
        r"no grid is adopted that is in force or will be": words.message("Aucune grille n’est adoptée."),
        r"membership described (?P<count>\d+) of the (?P<total>\d+) records that .+": words.message(
            "Fiches connues : %(count)s sur %(total)s."
        ),
        r"no mail goes out here": words.message("Aucun courriel ne part d’ici."),
        r"no brand of the mail file writes to (?P<name>.+)": words.message("Aucune marque n’écrit à %(name)s."),
        r"nobody said that a test mail of (?P<name>.+) arrived": words.message(
            "Personne n’a vu arriver un courriel d’essai de %(name)s."
        ),
        r"objections are suppressed": words.message("Les refus s’appliquent."),
        r"no planned gathering is in another cluster too": words.message("Aucun événement prévu n’est aussi ailleurs."),
        r"every registration is for a gathering that is known": words.message("Toutes les inscriptions ont le leur."),
    }


def _for_rollback(words: Words) -> dict[str, str]:
    return {
        r"nothing waits in (?P<queue>.+)": words.message("Rien n’attend dans %(queue)s."),
        r"nothing that was written here is left out there": words.message("Rien ne s’y perdrait."),
        r"no record was made here": words.message("Aucune fiche n’a été créée ici."),
        r"(?P<count>\d+) records were made here, and get another id there": words.message(
            "Fiches créées ici, qui auront là-bas un autre identifiant : %(count)s."
        ),
        r"no document stands that it does not say": words.message("Il les connaît toutes."),
        r"no payment was recorded here": words.message("Aucun paiement n’a été noté ici."),
        r"(?P<count>\d+) payments were recorded here, (?P<amount>[\d.]+) €: .+": words.message(
            "Paiements notés ici : %(count)s, en tout %(amount)s €."
        ),
        r"the former system says every registration as it is here": words.message("Il dit toutes les inscriptions."),
        r"the former system has every gathering as it is here": words.message("Il a tous les événements."),
        r"its former system says every objection that was taken here": words.message("Il dit tous les refus."),
    }
