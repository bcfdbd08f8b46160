"""Stages and services in words."""

from typing import Final

from services.gateway.console.catalogue import Words

STAGES: Final = ("legacy", "mirror", "live", "retired")
SERVICES: Final = ("membership", "billing", "events", "communications")


def stage_name(stage: str, words: Words) -> str:
    """Where a former system stands; an unknown stage as it is."""
    match stage:
        case "legacy":
            return words.text("ancien")
        case "mirror":
            return words.text("miroir")
        case "live":
            return words.text("chez nous")
        case "retired":
            return words.text("retiré")
        case _:
            return stage


def service_name(service: str, words: Words) -> str:
    """What a service looks after; an unknown one as it is."""
    match service:
        case "membership":
            return words.text("Membres")
        case "billing":
            return words.text("Cotisations")
        case "events":
            return words.text("Événements")
        case "communications":
            return words.text("Courriels")
        case _:
            return service
