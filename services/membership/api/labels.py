"""Words that people read, in French and English."""

from collections.abc import Mapping
from typing import Literal

from starlette.requests import Request

Language = Literal["fr", "en"]


def language_of(request: Request, otherwise: Language = "fr") -> Language:
    """``?lang=``, else the first of our two languages in ``Accept-Language``, else ``otherwise``."""
    asked = request.query_params.get("lang", "")
    wanted: list[tuple[float, str]] = [(2.0, asked)]
    for part in request.headers.get("accept-language", "").split(",")[:20]:
        tag, _, quality = part.partition(";q=")
        try:
            wanted.append((float(quality or 1), tag.strip()))
        except ValueError:
            continue
    for weight, tag in sorted(wanted, key=lambda one: -one[0]):
        match tag.lower().partition("-")[0]:
            case "fr" if weight > 0:
                return "fr"
            case "en" if weight > 0:
                return "en"
            case _:
                continue
    return otherwise


PROBLEMS: Mapping[str, tuple[int, str, str]] = {
    "not-found": (404, "Il n'y a rien à cette adresse", "There is nothing at this address"),
    "override-unknown": (404, "Ce champ n'a pas été fixé à la main", "This field was not set by hand"),
    "conflict-unknown": (404, "Ce conflit n'existe pas", "There is no such conflict"),
    "member-unknown": (404, "Ce membre n'existe pas", "There is no such member"),
    "member-removed": (
        410,
        "Toutes les fiches de ce membre ont été supprimées",
        "All records of this member were removed",
    ),
    "method-not-allowed": (405, "Cette adresse ne connaît pas cette méthode", "This address does not know this method"),
    "key-missing": (401, "Une clé d'accès est nécessaire", "An API key is needed"),
    "key-refused": (401, "Cette clé est inconnue, expirée ou révoquée", "This key is unknown, expired or revoked"),
    "role-too-low": (403, "Cette clé ne donne pas ce droit", "This key does not give that right"),
    "changed-meanwhile": (412, "Ce membre a changé entre-temps", "This member changed meanwhile"),
    "body-too-long": (413, "Le corps de la requête est trop long", "The request's body is too long"),
    "override-refused": (422, "Cette valeur ne peut pas être fixée", "This value cannot be set"),
    "record-not-of-member": (
        422,
        "Cette fiche ne fait pas partie de ce membre",
        "This source record is not part of this member",
    ),
    "cursor-unreadable": (400, "Ce curseur de page est illisible", "This page cursor cannot be read"),
    "invalid-parameters": (422, "Des paramètres ne conviennent pas", "Some parameters do not fit"),
    "case-unknown": (
        404,
        "Ce cas n'existe pas, ou il n'est plus en question",
        "There is no such case, or it is not in question any more",
    ),
    "decision-unknown": (404, "Cette décision n'existe pas", "There is no such decision"),
    "record-unknown": (422, "Une de ces fiches n'existe pas", "There is no such source record"),
    "decision-refused": (422, "Cette décision ne peut pas être prise", "This decision cannot be taken"),
    "database-away": (503, "La base de données ne répond pas", "The database does not answer"),
    "busy": (503, "Trop d'exports à la fois", "Too many exports at once"),
    "failure": (500, "Une erreur s'est produite", "Something went wrong"),
}
"""ProblemError types: status, and title in French and English."""

REFUSED: Mapping[str, tuple[str, str]] = {
    "records-too-few": (
        "Une décision porte sur deux fiches au moins.",
        "A decision is about two source records at least.",
    ),
    "records-too-many": ("Une décision porte sur trop de fiches.", "A decision is about too many source records."),
    "record-twice": ("Une décision nomme chaque fiche une seule fois.", "A decision names each source record once."),
    "record-unnamed": (
        "Une fiche se nomme cluster/identifiant, par exemple numelink/B-1.",
        "A source record is named cluster/id, such as numelink/B-1.",
    ),
    "author-missing": ("Une décision a besoin d'un auteur.", "A decision needs its author."),
    "reason-missing": ("Une décision a besoin d'un motif.", "A decision needs its reason."),
    "author-unusable": ("L'auteur est trop long ou n'est pas du texte.", "The author is too long, or is not text."),
    "reason-unusable": ("Le motif est trop long ou n'est pas du texte.", "The reason is too long, or is not text."),
    "not-one-member": (
        "Ces fiches ne font pas partie d'un seul et même membre.",
        "These source records are not part of one and the same member.",
    ),
    "not-this-member": (
        "Ces fiches ne font pas partie de ce membre, ou n'en font plus partie.",
        "These source records are not part of this member, or not any more.",
    ),
    "nothing-to-separate": (
        "Ce membre n'a pas d'autres fiches : nommez seulement celles qui partent.",
        "The member has no other source records: name only those that go.",
    ),
}
"""What is wrong with a decision, by :attr:`DecisionError.kind`."""

COLUMNS: Mapping[str, tuple[str, str]] = {
    "id": ("Identifiant", "Id"),
    "name": ("Nom", "Name"),
    "brand": ("Enseigne", "Brand"),
    "siren": ("SIREN", "SIREN"),
    "city": ("Ville", "Town"),
    "departement": ("Département", "Département"),
    "clusters": ("Clusters", "Clusters"),
    "lineages": ("Origines", "Lineages"),
    "paid_until": ("Cotisation payée jusqu'au", "Paid until"),
    "paid_up": ("À jour de cotisation", "Paid up"),
    "active": ("Actif", "Active"),
}
"""Columns of the CSV export, in order."""

YES_NO: Mapping[Language, tuple[str, str]] = {"fr": ("oui", "non"), "en": ("yes", "no")}

HAPPENED: Mapping[str, tuple[str, str]] = {
    "member-since": ("Adhésion", "Became a member"),
    "subscription": ("Début de cotisation", "Membership term begins"),
    "invoice": ("Facture", "Invoice"),
    "invoice-cancelled": ("Facture annulée", "Cancelled invoice"),
    "credit-note": ("Avoir", "Credit note"),
    "payment": ("Paiement", "Payment"),
    "refund": ("Remboursement", "Refund"),
    "registration": ("Inscription", "Registration"),
    "registration-waiting": ("Inscription en liste d'attente", "Registration on the waiting list"),
    "registration-attended": ("Participation", "Attended"),
    "registration-absent": ("Absence", "Registered, and did not come"),
    "registration-cancelled": ("Inscription annulée", "Cancelled registration"),
    "consent-granted": ("Consentement donné", "Consent granted"),
    "consent-refused": ("Consentement refusé", "Consent refused"),
    "consent-withdrawn": ("Consentement retiré", "Consent withdrawn"),
    "mailing": ("Envoi", "Mailing"),
    "record-recorded": ("Fiche enregistrée", "Record taken in"),
    "record-changed": ("Fiche modifiée", "Record changed"),
    "record-removed": ("Fiche supprimée", "Record removed"),
}
"""Kinds of a timeline's entries."""

CHANNELS: Mapping[str, tuple[str, str]] = {
    "email": ("courriel", "e-mail"),
    "bulk-email": ("envois en nombre", "bulk e-mail"),
    "phone": ("téléphone", "phone"),
    "post": ("courrier", "post"),
    "sms": ("SMS", "text message"),
}

MEANINGS_FR: Mapping[str, str] = {
    "siren-invalid": "n'est pas un SIREN valable (9 chiffres, avec leur clé)",
    "siren-from-siret": "le SIREN est tiré du SIRET",
    "siren-from-invalid-siret": "le SIREN est tiré d'un SIRET dont les cinq derniers chiffres sont faux",
    "siren-from-vat": "le SIREN est tiré du numéro de TVA",
    "siren-is-siret": "un SIRET est écrit à la place du SIREN",
    "siret-invalid": "n'est pas un SIRET valable (14 chiffres, avec leur clé)",
    "siret-is-siren": "un SIREN est écrit à la place du SIRET",
    "vat-invalid": "n'est pas un numéro de TVA valable",
    "identifiers-disagree": "SIREN, SIRET et numéro de TVA ne désignent pas la même entreprise",
    "leading-zero-restored": "un tableur a perdu le zéro initial ; il est rétabli",
    "naf-unknown": "n'est ni un code de la NAF rév. 2 ni un code de la NAF 2025",
    "naf-nomenclature": "le code appartient à l'autre nomenclature que celle qui est indiquée",
    "email-invalid": "n'est pas une adresse électronique",
    "several-values": "plusieurs valeurs dans un champ ; la première valable est retenue",
    "phone-invalid": "n'est pas un numéro de téléphone qui existe",
    "mobile-invalid": "n'est pas un numéro de téléphone qui existe",
    "postcode-invalid": "n'est pas un code postal français",
    "country-unknown": "n'est ni le nom ni le code ISO d'un pays",
    "website-invalid": "n'est pas une adresse de site",
}
"""The meanings of doubtful values; :data:`services.membership.domain.problems.MEANINGS` has the English ones."""

REFUSALS_FR: Mapping[str, str] = {
    "field-not-overridable": "n'est pas un champ que l'on peut fixer à la main",
    "value-empty": "aucune valeur ; retirez celle qui est fixée pour montrer ce que disent les fiches",
    "value-too-long": "plus de 1 000 caractères",
    "value-not-text": "contient un caractère qui n'est pas du texte (U+0000, ou la moitié d'un caractère)",
}
"""Why a value cannot be set; :data:`services.membership.domain.overrides.REFUSALS` has the English words."""

CONFLICTS: Mapping[str, tuple[str, str]] = {
    "paid-twice": ("payé deux fois", "paid twice"),
    "registered-twice": ("inscrit deux fois", "registered twice"),
}
"""Kinds of conflicts that merges bring."""


def label(table: Mapping[str, tuple[str, str]], key: str, language: Language) -> str:
    """The words for a key, or the key itself."""
    french, english = table.get(key, (key, key))
    return french if language == "fr" else english
