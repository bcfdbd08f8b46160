"""What single services found of a condition of theirs, in French, by the form in which they say it."""

from typing import Final

from services.gateway.console.catalogue import Words

AT: Final = r"(?P<at>\d{4}-\d\d-\d\d \d\d:\d\d) UTC"
_BRAND: Final = r"((?P<brand>[\w-]+): )?"


def findings_of_services(words: Words) -> dict[str, str]:
    """French by patterns of what is said in English; ``_PIECES`` may join several of them."""
    return (
        _of_mails(words)
        | _of_dns(words)
        | _of_objections(words)
        | _of_events(words)
        | _of_billing(words)
        | _of_ways(words)
    )


def record_name(name: str, words: Words) -> str:
    """What a record of DNS is for; one that is not known here keeps its name."""
    return {
        "SPF of the return path": words.text("SPF de l’adresse de retour"),
        "where bounces go": words.text("adresse de retour"),
    }.get(name, name)


def why_unreadable(reason: str, words: Words) -> str:
    """Why a line of a comparison cannot be read; a reason that is not known here stays as it is."""
    return {
        "the manifest's parts say different numbers": words.text("Les parties de l’inventaire se contredisent"),
        "it does not list as many as it counts": words.text("L’inventaire compte plus ou moins qu’il ne nomme"),
    }.get(reason, reason)


def _of_mails(words: Words) -> dict[str, str]:
    return {
        rf"(?P<name>.+) saw a test mail of (?P<brand>.+) at {AT}": words.message(
            "%(name)s a vu arriver un courriel d’essai de %(brand)s le %(at)s."
        ),
        r"without a secret of addresses no objection is suppressed": words.message(
            "Sans le secret des adresses, aucun refus ne s’applique."
        ),
        r"(?P<count>\d+) objections that were taken here its former system has not said: .+": words.message(
            "Refus reçus ici que l’ancien système ne connaît pas : %(count)s. Il écrirait à ces personnes."
        ),
    }


def _of_dns(words: Words) -> dict[str, str]:
    return {
        rf"{_BRAND}(?P<dns>[^:;]+) is missing": words.message("Absent du DNS : %(dns)s."),
        rf"{_BRAND}(?P<dns>[^:;]+) is wrong": words.message("Faux dans le DNS : %(dns)s."),
        rf"{_BRAND}(?P<dns>[^:;]+) is unreachable": words.message("Le DNS ne répond pas : %(dns)s."),
        rf"{_BRAND}(?P<dns>[^:;]+) are right": words.message("Bien réglés : %(dns)s."),
        r"the relay signs \(DKIM\), which is not checked here": words.message(
            "Le relais signe (DKIM) : ce n’est pas vérifié ici."
        ),
        rf"{_BRAND}.+: the DKIM key of (?P<name>.+) cannot be read: .+": words.message(
            "La clé DKIM de %(name)s ne peut pas être lue."
        ),
        rf"{_BRAND}.+: this is no private key without a passphrase \(PEM\): .+": words.message(
            "La clé DKIM n’est pas une clé privée (PEM) sans mot de passe."
        ),
        rf"{_BRAND}.+: DKIM needs an RSA key of (?P<count>\d+) bits or more: .+": words.message(
            "La clé DKIM est trop courte : il faut du RSA de %(count)s bits au moins."
        ),
    }


def _of_objections(words: Words) -> dict[str, str]:
    return {
        r"(?P<cluster>[\w-]+): its objections were never compared with what its former system holds": words.message(
            "Refus jamais comparés : %(cluster)s."
        ),
        r"(?P<cluster>[\w-]+): (?P<count>\d+) open differences": words.message(
            "Écarts ouverts de %(cluster)s : %(count)s."
        ),
        rf"(?P<cluster>[\w-]+): compared at {AT}, longer ago than a day": words.message(
            "Refus de %(cluster)s comparés le %(at)s, il y a plus d’un jour."
        ),
        r"objections of no former system were compared within a day": words.message(
            "Il n’y a plus d’ancien système à comparer."
        ),
        r"objections of (?P<names>.+) were compared within a day": words.message(
            "Refus comparés depuis moins d’un jour : %(names)s."
        ),
    }


def _of_events(words: Words) -> dict[str, str]:
    return {
        r"(?P<count>\d+) planned gatherings are at the same moment, .+, in another cluster too": words.message(
            "Événements prévus aussi ailleurs, au même moment et sous le même titre : %(count)s."
        ),
        r"(?P<count>\d+) registrations are for gatherings that nobody stated: .+": words.message(
            "Inscriptions à des événements inconnus, qui ne seraient pas reprises : %(count)s."
        ),
        r"(?P<count>\d+) registrations were made or changed here, and the former system has not .+": words.message(
            "Inscriptions prises ou changées ici qu’il ne dit pas : %(count)s."
        ),
        r"(?P<count>\d+) gatherings were planned, moved or called off here, and the former system .+": words.message(
            "Événements prévus, déplacés ou annulés ici qu’il ne dit pas : %(count)s."
        ),
    }


def _of_billing(words: Words) -> dict[str, str]:
    again = r"(: it would bill the same again)?"
    return {
        rf"(?P<count>\d+) documents that were issued here stand, and the former system has not said them{again}": (
            words.message("Factures émises ici qu’il ne connaît pas, et qu’il referait : %(count)s.")
        ),
        rf"(?P<count>\d+) stand on records of other clusters for members that it knows too{again}": words.message(
            "Factures de ses membres émises pour d’autres clusters, et qu’il referait : %(count)s."
        ),
    }


def _of_ways(words: Words) -> dict[str, str]:
    return {
        r"(?P<count>\d+) messages are to be sent there": words.message("Messages à lui envoyer : %(count)s."),
        r"(?P<count>\d+) messages were given back and are parked": words.message(
            "Messages rendus et mis de côté : %(count)s."
        ),
        r"(?P<count>\d+) records say what its columns cannot: (?P<names>.+)": words.message(
            "Fiches qui disent ce que ses colonnes ne peuvent pas : %(count)s (%(names)s)."
        ),
    }
