"""What services, stages, moves and conditions are called on pages."""

from typing import Final, Literal

from schemas.rights import Right
from services.gateway.console.catalogue import Words

Move = Literal["mirror", "switch", "rollback", "retire"]

STAGES: Final = ("legacy", "mirror", "live", "retired")
MOVES: Final[dict[str, tuple[Move, ...]]] = {
    "legacy": ("mirror",),
    "mirror": ("switch",),
    "live": ("rollback", "retire"),
    "retired": (),
}
"""What can be done from each stage; the first is the way on, but for what is live: there it is the way back."""
LEADS_TO: Final = {"mirror": "mirror", "switch": "live", "retire": "retired"}
"""Where each move on leads: what stands there has made it. Of a mirror nothing says whether it was rolled back to."""
GATED: Final[frozenset[str]] = frozenset({"switch", "rollback"})
"""Moves for which conditions must hold, or be overruled."""
NEVER_OVERRULED: Final = frozenset({"mirror", "live", "objections"})
"""Conditions that no reason replaces; the service refuses these in any case."""


def decides(service: str) -> Right:
    """What somebody needs to decide late messages and differences of a service."""
    return "decide-late-billing" if service == "billing" else "decide-late"


def service_name(service: str, words: Words) -> str:
    """A service, as its area is called."""
    return {
        "membership": words.text("Adhésions"),
        "billing": words.text("Facturation"),
        "events": words.text("Événements"),
        "communications": words.text("Courriels"),
    }.get(service, service)


def stage_name(stage: str, words: Words) -> str:
    """A stage, as it stands on the tracks."""
    return {
        "legacy": words.text("ancien"),
        "mirror": words.text("miroir"),
        "live": words.text("chez nous"),
        "retired": words.text("retiré"),
    }[stage]


def authority(stage: str, words: Words) -> str:
    """Whose word counts in a stage."""
    return words.text("Traboule") if stage in ("live", "retired") else words.text("Ancien système")


def move_name(move: str, words: Words) -> str:
    """A move, as its button says it."""
    return {
        "mirror": words.text("Suivre en miroir"),
        "switch": words.text("Basculer"),
        "rollback": words.text("Revenir"),
        "retire": words.text("Retirer"),
    }[move]


def move_meaning(move: str, system: str, words: Words) -> str:
    """What a move will do, in a sentence or two; ``system`` is how the former system is called."""
    match move:
        case "mirror":
            return words.text(
                "Ce que dit %(system)s sera suivi ici en miroir. L’ancien système reste l’autorité : rien ne change "
                "pour qui s’en sert.",
                system=system,
            )
        case "switch":
            return words.text(
                "Traboule devient l’autorité pour %(system)s : on écrit ici, et ce que l’ancien système dira encore "
                "attendra l’avis d’une personne. On peut en revenir.",
                system=system,
            )
        case "rollback":
            return words.text(
                "L’ancien système redevient l’autorité pour %(system)s : on n’écrit plus ici, et ce qu’il dit est de "
                "nouveau suivi en miroir.",
                system=system,
            )
        case _:
            return words.text(
                "%(system)s ne pourra plus jamais rien dire, et on ne pourra plus y revenir. C’est définitif.",
                system=system,
            )


def condition_name(name: str, words: Words) -> str:
    """What must hold, as a sentence; a condition that is not known here keeps its name."""
    return (_for_switch(words) | _of_services(words) | _for_rollback(words)).get(name, name)


def _for_switch(words: Words) -> dict[str, str]:
    return {
        "mirror": words.text("L’ancien système est suivi en miroir"),
        "parity": words.text("Le miroir dit la même chose que l’ancien système, comparé depuis moins d’un jour"),
        "rehearsal": words.text("Une répétition d’un an donne le même résultat, depuis moins d’une semaine"),
        "queues": words.text("Aucun message n’attend dans ses files"),
        "outbox": words.text("Aucune annonce n’attend d’être envoyée"),
        "dead-letters": words.text("Aucun de ses messages n’est mis de côté"),
        "quarantine": words.text("Aucun message tardif n’attend un avis"),
        "commands": words.text("On peut écrire ici"),
        "writers": words.text("Quelqu’un a le droit d’écrire ici"),
        "backup": words.text("Une sauvegarde a été notée depuis moins d’un jour"),
    }


def _of_services(words: Words) -> dict[str, str]:
    return {
        "issuer": words.text("Un organisme facture ses membres"),
        "grid": words.text("Une grille de cotisations est adoptée"),
        "members": words.text("Tous les membres facturés sont connus"),
        "dns": words.text("Le domaine de ses courriels est bien réglé"),
        "test-mail": words.text("Quelqu’un a vu arriver un courriel d’essai"),
        "consents": words.text("Les refus de courriels ont été comparés"),
        "contacts": words.text("Toutes les personnes à qui l’on écrit sont connues"),
        "address-keys": words.text("Les refus s’appliquent à toutes les adresses"),
        "sold-twice": words.text("Aucun événement n’est ouvert dans deux systèmes"),
        "registrations-without-gathering": words.text("Chaque inscription a son événement"),
    }


def _for_rollback(words: Words) -> dict[str, str]:
    return {
        "live": words.text("L’autorité est ici"),
        "way-back-read": words.text("L’ancien système a lu tout ce qui lui a été transmis"),
        "expressible": words.text("L’ancien système peut dire tout ce qui a été écrit ici"),
        "new-ids": words.text("Aucune fiche créée ici ne changerait d’identifiant"),
        "documents": words.text("L’ancien système connaît toutes les factures émises ici"),
        "payments": words.text("Aucun paiement n’a été noté ici seulement"),
        "registrations": words.text("L’ancien système connaît toutes les inscriptions prises ici"),
        "gatherings": words.text("L’ancien système connaît tous les événements prévus ici"),
        "objections": words.text("L’ancien système connaît tous les refus reçus ici"),
    }


def difference_name(what: str, words: Words) -> str:
    """How two sides differ."""
    return {
        "missing-here": words.text("manque ici"),
        "missing-there": words.text("manque là-bas"),
        "different": words.text("diffère"),
        "unreadable": words.text("illisible"),
    }.get(what, what)


def kind_name(kind: str, words: Words) -> str:
    """A kind of record; one that is not known here keeps its name."""
    return {
        "member": words.text("Membres"),
        "invoice": words.text("Factures"),
        "payment": words.text("Paiements"),
        "event": words.text("Événements"),
        "registration": words.text("Inscriptions"),
        "consent": words.text("Accords et refus"),
        "mailing": words.text("Envois"),
        "row": words.text("Lignes"),
        "manifest": words.text("Inventaire"),
        "dues": words.text("Périodes facturées"),
        "settlement": words.text("Factures dues"),
        "audience": words.text("Destinataires"),
        "place": words.text("Places données"),
        "standing": words.text("État des adhésions"),
    }.get(kind, kind)


def late_state(state: str, words: Words) -> str:
    """What became of a late message."""
    return {
        "waiting": words.text("attend un avis"),
        "applied": words.text("appliqué"),
        "dismissed": words.text("écarté"),
    }.get(state, state)
