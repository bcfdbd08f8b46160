"""Accueil: where one is, and where one can go."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.console import rendering
from services.gateway.console.session import Person

router = APIRouter(include_in_schema=False)


@router.get("/console")
async def home(request: Request, person: Person) -> Response:
    """The first page."""
    title = rendering.words_of(request).text("Bonjour %(name)s", name=person.name)
    return rendering.page(request, person, "home/page.html", title)
