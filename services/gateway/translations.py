"""What the gateway says, in French and English, and in which of the two."""

from collections.abc import Mapping

from starlette.requests import Request

from services.gateway.events_translations import EVENTS_PROBLEMS
from services.membership.translations import Language


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
    for weight, tag in sorted(wanted, key=lambda item: -item[0]):
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
    "too-many-requests": (429, "Trop de demandes : réessayez plus tard", "Too many requests: try again later"),
    "cluster-unknown": (404, "Ce cluster n'existe pas", "There is no such cluster"),
    "source-record-unknown": (404, "Cette fiche n'existe pas", "There is no such source record"),
    "source-record-removed": (410, "Cette fiche a été supprimée", "This source record was removed"),
    "source-record-exists": (409, "Cette fiche existe déjà", "This source record is there already"),
    "not-the-authority": (
        409,
        "L'ancien système de ce cluster fait encore autorité",
        "This cluster's former system is still the authority",
    ),
    "record-changed-meanwhile": (412, "Cette fiche a changé entre-temps", "This source record changed meanwhile"),
    "value-not-understood": (422, "Une valeur n'est pas comprise", "A value is not understood"),
    "precondition-missing": (
        428,
        "Il manque l'en-tête If-Match, avec l'ETag de la fiche",
        "The header If-Match is missing, with the record's ETag",
    ),
    "dead-letter-unknown": (404, "Ce message n'existe pas", "There is no such message"),
    "dead-letter-not-parked": (409, "Ce message n'est plus mis de côté", "This message is not set aside any more"),
    "body-refused": (422, "Le service refuserait ce corps", "The service would refuse this body"),
    "issuer-unknown": (404, "Cet organisme n'existe pas", "There is no such issuer"),
    "grid-unknown": (404, "Cette grille n'existe pas", "There is no such grid"),
    "grid-invalid": (422, "Cette grille ne convient pas à l'organisme", "This grid does not fit the issuer"),
    "grid-overlaps": (409, "Une autre grille vaut pour ces jours", "Another grid is in force on these days"),
    "grid-adopted": (409, "Cette grille est déjà adoptée", "This grid is adopted already"),
    "no-grid": (409, "Aucune grille n'est en vigueur ce jour-là", "No grid is in force on that day"),
    "second-person": (
        403,
        "Une autre personne, qui en a le droit, doit l'approuver",
        "Somebody else, who may, has to approve it",
    ),
    "billed-member-unknown": (404, "Ce membre n'est pas connu", "There is no such member"),
    "due-decision-unknown": (404, "Cette décision n'existe pas", "There is no such decision"),
    "due-decision-invalid": (422, "Cette décision est incomplète", "This decision is incomplete"),
    "run-unknown": (404, "Cet appel n'existe pas", "There is no such run"),
    "run-state": (409, "Cet appel n'en est pas là", "This run is not at that point"),
    "run-changed": (409, "Ce qui est dû a changé depuis", "What is owed has changed since"),
    "document-unknown": (404, "Cette pièce n'existe pas", "There is no such document"),
    "document-unready": (409, "Les fichiers de cette pièce sont en cours", "This document's files are being made"),
    "document-invalid": (409, "Une pièce ne peut être émise", "A document cannot be issued"),
    "document-unchecked": (503, "Les règles n'ont pu être consultées", "The rules could not be asked"),
    "correction-impossible": (409, "Cette pièce ne peut être corrigée ainsi", "This document cannot be corrected so"),
    "series-uncompared": (
        409,
        "Base restaurée : dites d'abord les derniers numéros envoyés",
        "The database was restored: say first which numbers were sent last",
    ),
    "number-unknown": (422, "Ce numéro n'est d'aucune série", "This number belongs to no series"),
    "payment-unknown": (404, "Ce paiement n'existe pas", "There is no such payment"),
    "payment-invalid": (422, "Ce paiement ne peut être saisi ainsi", "This payment cannot be recorded so"),
    "payment-key-used": (409, "Cette clé désigne un autre paiement", "This key is another payment's"),
    "payment-returned": (409, "La banque a déjà repris ce paiement", "The bank took this payment back already"),
    "allocation-impossible": (409, "Ce montant n'est pas libre ou pas dû", "So much is not free, or not owed"),
    "allocation-unknown": (404, "Cette affectation n'existe pas", "There is no such allocation"),
    "refund-unknown": (404, "Ce remboursement n'existe pas", "There is no such refund"),
    "refund-state": (409, "Ce remboursement est déjà approuvé", "This refund is approved already"),
    "refund-impossible": (409, "Il n'y a pas tant à rembourser", "So much is not free to be paid back"),
    "charge-unknown": (404, "Cette inscription n'est pas payante", "This registration costs nothing"),
    "charge-invoiced": (409, "Ces places sont facturées ici", "These seats were invoiced here"),
    "charge-settled": (409, "Il ne reste rien à facturer", "Nothing is left to be billed"),
    "delivery-unknown": (404, "Ce courriel n'existe pas", "There is no such mail"),
    "suppression-unknown": (404, "Rien de tel n'est en vigueur", "No such suppression is in force"),
    "mail-forgotten": (409, "Ces courriels ont été oubliés", "These mails have been forgotten"),
    "domain-not-paused": (409, "Ce domaine n'est pas suspendu", "This domain is not paused"),
    "brand-unknown": (404, "Cette marque n'existe pas", "There is no such brand"),
    "no-mail-file": (409, "Aucun courriel ne part d'ici", "No mail goes out here"),
    "period-closed": (409, "Cet exercice est clôturé", "The books of these days are closed"),
    "year-not-over": (409, "Cet exercice n'est pas terminé", "This year is not over"),
    "test-mail-unknown": (404, "Aucun courriel d'essai n'a ce code", "No test mail has this code"),
    "test-mail-not-sent": (409, "Ce courriel d'essai n'est pas parti", "This test mail did not go out"),
    "former-system-unknown": (404, "Cet ancien système n'existe pas", "There is no such former system"),
    "cutover-request-unknown": (404, "Cette demande n'existe pas", "There is no such request"),
    "late-message-unknown": (
        404,
        "Ce message n'est pas en quarantaine",
        "There is no such message in quarantine",
    ),
    "late-message-decided": (409, "Ce message ne peut pas être décidé ainsi", "This message cannot be decided so"),
    "never-compared": (
        404,
        "Cet ancien système n'a jamais été comparé",
        "This former system was never compared with our mirror",
    ),
    "never-rehearsed": (
        404,
        "Cet ancien système n'a jamais été répété",
        "It was never rehearsed what we would do in place of this former system",
    ),
    "difference-unknown": (
        404,
        "La dernière comparaison n'a pas trouvé cet écart",
        "The newest comparison did not find this difference",
    ),
    "difference-ambiguous": (409, "Plusieurs écarts commencent ainsi", "Several differences begin so"),
    "difference-not-open": (409, "Un de ces écarts est déjà accepté", "One of these differences is accepted already"),
    "difference-not-accepted": (
        409,
        "Un de ces écarts n'est pas accepté",
        "One of these differences is not accepted",
    ),
    "no-write-back": (
        404,
        "Rien n'est écrit ici que cet ancien système ne sache",
        "Nothing is written here that this former system does not know",
    ),
    "conditions-not-met": (409, "Des conditions ne sont pas remplies", "Some conditions do not hold"),
    "invalid-transition": (
        409,
        "Ce passage est impossible depuis cette étape",
        "This move is impossible from this stage",
    ),
    "request-expired": (
        409,
        "La demande a attendu trop longtemps ; rien n'a été fait",
        "The request waited for too long; nothing was done",
    ),
    "answer-too-long": (409, "La réponse est trop longue", "The answer is too long"),
    "answer-forgotten": (409, "La réponse a été oubliée", "The answer was forgotten"),
    "confirmation-missing": (
        422,
        "Il manque la confirmation : c'est sans retour",
        "The confirmation is missing: there is no way back",
    ),
    "idempotency-key-reused": (
        422,
        "Cette Idempotency-Key a déjà servi pour une autre demande",
        "This Idempotency-Key came with another request before",
    ),
    "service-away": (503, "Le service interrogé ne répond pas", "The service that was asked does not answer"),
    "service-failed": (500, "Le service interrogé a échoué", "The service that was asked failed"),
    "operation-unknown": (
        503,
        "Le service interrogé ne connaît pas cette demande : sa version est autre",
        "The service that was asked does not know this operation: its version is another",
    ),
    "broker-unavailable": (503, "Le courtier de messages ne répond pas", "The broker does not answer"),
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
    "invalid-key": (401, "Cette clé est inconnue, expirée ou révoquée", "This key is unknown, expired or revoked"),
    "right-missing": (403, "Ce droit n'est pas donné", "This right is not given"),
    "host-unknown": (421, "Cette adresse n'est pas celle de la console", "This address is not the console's"),
    "cross-origin": (403, "Cette demande vient d'un autre site", "This request comes from another site"),
    "cluster-not-yours": (
        403,
        "Ce droit n'est pas donné pour ce cluster",
        "This right is not given for that cluster",
    ),
    "sign-in-again": (
        403,
        "Cela demande une connexion récente : connectez-vous à nouveau",
        "This needs a recent sign-in: sign in again",
    ),
    "author-not-yours": (
        403,
        "Cette clé ne signe pas pour d'autres : ne pas nommer d'auteur",
        "This key does not sign for others: name no author",
    ),
    "person-unknown": (404, "Cette personne n'existe pas", "There is no such person"),
    "grant-unknown": (404, "Ce droit n'a pas été donné", "There is no such grant"),
    "key-unknown": (404, "Cette clé n'existe pas", "There is no such key"),
    "session-unknown": (404, "Cette session n'existe pas", "There is no such session"),
    "last-administrator": (
        409,
        "Il faut garder une personne qui administre toute l'installation",
        "Somebody must be left who administers the whole installation",
    ),
    "key-made-already": (
        409,
        "Cette clé est faite déjà, et ne se montre qu'une fois : la révoquer, et en faire une autre",
        "This key was made already, and is shown once only: revoke it, and make another",
    ),
    "email-taken": (409, "Quelqu'un a déjà cette adresse", "Somebody has this address already"),
    "changed-meanwhile": (412, "Ce membre a changé entre-temps", "This member changed meanwhile"),
    "body-broken-off": (400, "Le corps de la requête est incomplet", "The request's body is incomplete"),
    "undo-over": (410, "Cela ne peut plus être annulé d'ici", "This can no longer be undone from here"),
    "form-unreadable": (422, "Ce formulaire est illisible, ou trop long", "This form is unreadable, or too long"),
    "body-too-long": (413, "Le corps de la requête est trop long", "The request's body is too long"),
    "override-refused": (422, "Cette valeur ne peut pas être fixée", "This value cannot be set"),
    "record-not-of-member": (
        422,
        "Cette fiche ne fait pas partie de ce membre",
        "This source record is not part of this member",
    ),
    "cursor-unreadable": (400, "Ce curseur de page est illisible", "This page cursor cannot be read"),
    "value-impossible": (422, "Une valeur ne peut exister en base", "A value cannot exist in a database"),
    "invalid-parameters": (422, "Des paramètres ne conviennent pas", "Some parameters do not fit"),
    "case-unknown": (
        404,
        "Ce cas n'existe pas, ou il n'est plus en question",
        "There is no such case, or it is not in question any more",
    ),
    "case-answered": (
        409,
        "Cette question est déjà tranchée, ou ne se pose plus",
        "This question is answered already, or not in question any more",
    ),
    "decision-unknown": (404, "Cette décision n'existe pas", "There is no such decision"),
    "record-unknown": (422, "Une de ces fiches n'existe pas", "There is no such source record"),
    "decision-refused": (422, "Cette décision ne peut pas être prise", "This decision cannot be taken"),
    "database-unavailable": (503, "La base de données ne répond pas", "The database does not answer"),
    "changes-under-way": (
        503,
        "D'autres modifications sont en cours ; réessayez dans un instant",
        "Other changes are under way; try again in a moment",
    ),
    "busy": (503, "Trop d'exports à la fois", "Too many exports at once"),
    "failure": (500, "Une erreur s'est produite", "Something went wrong"),
    **EVENTS_PROBLEMS,
}
"""ProblemError types: status, and title in French and English."""

FORMER_PROBLEMS: Mapping[str, str] = {
    "broker-unavailable": "broker-away",
    "database-unavailable": "database-away",
    "invalid-key": "key-refused",
    "invalid-transition": "move-impossible",
    "no-write-back": "no-way-back",
    "request-expired": "asked-too-long-ago",
    "right-missing": "role-too-low",
    "source-record-exists": "source-record-there",
}
"""What these were called in the release before: a problem says so as ``former_type``, for this release."""


AUTHORITY: Mapping[str, tuple[str, str]] = {
    "legacy": (
        "L'ancien système de {name} fait autorité : faites la modification là-bas. Ici, elle sera possible une fois "
        "{cluster}/{service} suivi en miroir (traboule cutover mirror) puis basculé (traboule cutover switch).",
        "The former system of {name} is the authority: make the change there. It can be made here once "
        "{cluster}/{service} is mirrored (traboule cutover mirror) and then switched (traboule cutover switch).",
    ),
    "mirror": (
        "L'ancien système de {name} fait autorité, et il est suivi ici en miroir : faites la modification là-bas. "
        "Ici, elle sera possible après traboule cutover switch {cluster}/{service}.",
        "The former system of {name} is the authority and is mirrored here: make the change there. It can be made here "
        "after traboule cutover switch {cluster}/{service}.",
    ),
}
"""Who is the authority for a cluster's records, by stage, where it is not we."""

INSIST: Mapping[str, tuple[str, str]] = {
    "insist": (
        "Pour la garder telle quelle, renvoyez la demande avec accept_doubtful: true.",
        "To keep it as it is written, ask again with accept_doubtful: true.",
    ),
}
"""What to do with a value that is right though it is not understood."""
