"""``traboule billing payments``: money that came in, what it pays, what is paid back, and what the bank took back."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from services.cli.asking import given
from services.cli.billing.asking import ask, command, show
from shared.cli.options import By, Json, Reason
from shared.cli.terminal import as_json
from shared.runtime.clock import Clock

app = typer.Typer(
    no_args_is_help=True, help="Payments that are recorded here, and what they pay (les paiements saisis ici)."
)

PaymentId = Annotated[
    str, typer.Argument(metavar="PAYMENT", help="a payment's id, as `traboule billing payments list` lists it")
]
Amount = Annotated[str | None, typer.Option("--amount", help="euros; else all that is free")]
_LISTED = ("payment_id", "received_on", "record", "amount", "free", "pending", "means", "reference", "key")


@app.command("list")
def list_payments(
    issuer: Annotated[str | None, typer.Option("--issuer", help="only this one's")] = None,
    record: Annotated[str | None, typer.Option("--record", help="only of this payer, such as numelink/1042")] = None,
    cluster: Annotated[str | None, typer.Option("--cluster", help="only of payers of this cluster")] = None,
    free: Annotated[bool, typer.Option("--free", help="only those of which something is free")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="so many of them")] = 100,
    after: Annotated[str | None, typer.Option("--after", help="the id of the payment after which to begin")] = None,
    json: Json = False,
) -> None:
    """List payments, the newest first: what of each is free, and what waits to be paid back.

    Example: [bold]traboule billing payments list --free[/]
    """
    which = given(issuer=issuer, record=record, cluster=cluster, after=after)
    answer = ask("payments", which | {"free": free, "limit": limit})
    if json:
        as_json(answer)
        return
    show({"payments": [{name: item[name] for name in _LISTED} for item in answer["items"]]}, json=False)
    more = f"; go on with --after {answer['next']}" if answer["next"] else ""
    typer.echo(f"{len(answer['items'])} of {answer['count']} payments{more}")


@app.command("show")
def show_payment(payment: PaymentId, json: Json = False) -> None:
    """Show one payment: which documents it pays, its refunds, and whether the bank took it back.

    Example: [bold]traboule billing payments show PAYMENT[/]
    """
    show(ask("payment", {"payment_id": payment}), json=json)


@app.command()
def record(
    record: Annotated[str, typer.Argument(metavar="RECORD", help="the payer, such as numelink/1042")],
    amount: Annotated[str, typer.Argument(metavar="AMOUNT", help="euros, such as 600.00")],
    issuer: Annotated[str, typer.Option("--issuer", help="whose account it came to")],
    key: Annotated[str, typer.Option("--key", help="what tells it apart, such as the bank's reference")],
    reason: Reason,
    received_on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="value date; today where it is left out")
    ] = None,
    means: Annotated[str, typer.Option("--means", help="transfer, direct-debit, cheque, card or cash")] = "transfer",
    reference: Annotated[str, typer.Option("--reference", help="what the payer wrote")] = "",
    by: By = "",
    json: Json = False,
) -> None:
    """Record a payment that came in. Under a key that is known nothing is recorded again.

    Example: [bold]traboule billing payments record numelink/1042 600.00 --issuer merged --key REL-12-4 --reason "relevé"[/]
    """  # noqa: E501 - a command stays on one line
    day = received_on or str(Clock().today())
    what = {"issuer": issuer, "record": record, "amount": amount, "received_on": day, "means": means}
    show(command("record-payment", what | {"reference": reference, "key": key}, by, reason), json=json)


@app.command()
def allocate(
    payment: PaymentId,
    documents: Annotated[
        list[str], typer.Argument(metavar="NUMBER[=AMOUNT]", help="a document, or so much of it; repeatable")
    ],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Let a payment pay documents, also of other records: never more than is free of it, nor than is owed on them.

    Example: [bold]traboule billing payments allocate PAYMENT F-2027-000123 F-2027-000124=320.00 --reason "virement"[/]
    """
    parts = [_part(text) for text in documents]
    show(command("allocate-payment", {"payment_id": payment, "documents": parts}, by, reason), json=json)


@app.command()
def undo(
    allocation: Annotated[
        str, typer.Argument(metavar="ALLOCATION", help="its id, as `traboule billing payments show` shows it")
    ],
    reason: Reason,
    by: By = "",
    json: Json = False,
) -> None:
    """Undo an allocation: its money is free again, and the document is owed.

    Example: [bold]traboule billing payments undo ALLOCATION --reason "autre facture"[/]
    """
    show(command("undo-allocation", {"allocation_id": allocation}, by, reason), json=json)


@app.command()
def refund(payment: PaymentId, reason: Reason, amount: Amount = None, by: By = "", json: Json = False) -> None:
    """Ask that what is free of a payment be paid back. Nothing moves until somebody else approves it.

    Example: [bold]traboule billing payments refund PAYMENT --amount 50.00 --reason "trop-perçu"[/]
    """
    show(command("refund-payment", {"payment_id": payment} | given(amount=amount), by, reason), json=json)


@app.command("approve-refund")
def approve_refund(
    refund: Annotated[
        str, typer.Argument(metavar="REFUND", help="its id, as `traboule billing payments show` shows it")
    ],
    reason: Reason,
    paid_on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="the day of the transfer; else today")
    ] = None,
    by: By = "",
    json: Json = False,
) -> None:
    """Approve a refund, by somebody else than who asked for it. The transfer itself is made at the bank.

    Example: [bold]traboule billing payments approve-refund REFUND --by tresoriere --reason "vérifié"[/]
    """
    day = paid_on or str(Clock().today())
    show(command("approve-refund", {"refund_id": refund, "paid_on": day}, by, reason), json=json)


@app.command()
def returned(
    payment: PaymentId,
    code: Annotated[str, typer.Option("--code", help="the bank's reason, such as AC04 or MD06; UNPAID for a cheque")],
    reason: Reason,
    returned_on: Annotated[
        str | None, typer.Option("--on", metavar="YYYY-MM-DD", help="the bank's day; else today")
    ] = None,
    fee: Annotated[str, typer.Option("--fee", help="euros that the bank charged")] = "0.00",
    by: By = "",
    json: Json = False,
) -> None:
    """Record that the bank took a payment back. What it paid is owed again, since the day on which it first was.

    Example: [bold]traboule billing payments returned PAYMENT --code MD06 --fee 12.30 --reason "rejet du 28 janvier"[/]
    """
    asked = {"payment_id": payment, "returned_on": returned_on or str(Clock().today()), "code": code, "fee": fee}
    show(command("return-payment", asked, by, reason), json=json)


def _part(text: str) -> dict[str, Any]:
    number, equals, amount = text.partition("=")
    return {"number": number} | ({"amount": amount} if equals else {})
