"""``traboule mail dns``: prints and checks what DNS must say of each brand."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.environment import configured
from services.communications.brands.dns_records import Checked, check_brand
from services.communications.settings import CommunicationsSettings
from shared.cli.options import Json
from shared.cli.terminal import as_json, nothing, plain, refuse, run, terminal

app = typer.Typer()
_COLOURS = {"right": "green", "missing": "red", "wrong": "red", "unreachable": "yellow"}


@app.command("dns")
def dns_records(
    brand: Annotated[str | None, typer.Option("--brand", help="only this one's")] = None, json: Json = False
) -> None:
    """Print the DNS records that each brand needs, and check them. Exit code 1 unless all are right.

    Example: [bold]traboule mail dns --brand numelink[/]
    """
    checked = run(_checked(brand))
    if json:
        as_json([_as_json(code, item) for code, items in checked.items() for item in items])
    else:
        for code, items in checked.items():
            terminal().print(f"[bold]{plain(code)}[/]", highlight=False)
            for item in items:
                _print(item)
    wrong = sum(item.verdict != "right" for items in checked.values() for item in items)
    if wrong:
        nothing(f"{wrong} records are not right: until they are, providers refuse this mail or take it for spam")


async def _checked(only: str | None) -> dict[str, list[Checked]]:
    settings = configured("communications")["communications"]
    assert isinstance(settings, CommunicationsSettings)
    mail = settings.mail()
    if mail is None:
        refuse("no mail goes out here: set TRABOULE_COMMUNICATIONS_MAIL_FILE")
    if only is not None and only not in mail.brands:
        refuse(f"there is no brand {only!r}; there are {', '.join(sorted(mail.brands))}")
    result: dict[str, list[Checked]] = {}
    for code, brand in mail.brands.items():
        if only in (None, code):
            result[code] = await check_brand(brand, mail)
    return result


def _print(item: Checked) -> None:
    console, wanted = terminal(), item.wanted
    colour = _COLOURS[item.verdict]
    console.print(f"  [{colour}]{item.verdict:<11}[/] {plain(wanted.what)}", highlight=False)
    console.print(f"    {plain(wanted.name)}  {wanted.kind}  {plain(wanted.example)}", highlight=False, soft_wrap=True)
    if item.verdict == "wrong":
        console.print(f"    found: {plain('; '.join(item.values))}", highlight=False, soft_wrap=True)


def _as_json(brand: str, item: Checked) -> dict[str, Any]:
    wanted = item.wanted
    return {
        "brand": brand, "what": wanted.what, "name": wanted.name, "kind": wanted.kind, "enter": wanted.example,
        "verdict": item.verdict, "values": list(item.values),
    }  # fmt: skip
