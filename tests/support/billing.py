"""Billing's own database with members in it, and its operations asked as the gateway and the command ask them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.provisioning.provision import CLUSTERS, ISSUERS
from schemas.billing import InvoiceRecorded
from schemas.membership import Addressee, MemberDescribed
from services.billing.definition import DEFINITION
from services.billing.documents.rules import verdicts
from services.billing.documents.trial import Rules
from services.billing.issuers.file import load_issuers
from services.billing.issuers.issuer import Issuer
from services.billing.members.repository import keep_descriptions
from services.billing.mirror.handlers import record_invoices
from services.billing.mirror.repository import BillingUnitOfWork
from services.common.member_records import apply_merges
from services.operations.binding import Identity
from services.operations.running import OperationRequest, Result, carry_out
from shared.runtime.clusters import load_clusters
from tests.support.dues import a_grid
from tests.support.emptying import EMPTY
from tests.support.merging import envelope, handled


def shipped_issuers(path: Path = ISSUERS) -> Mapping[str, Issuer]:
    return load_issuers(path, load_clusters(CLUSTERS))


def a_description(cluster: str, record_id: str, heads: str | None = "12", **different: Any) -> MemberDescribed:
    """A member since 2019, in Saint-Étienne."""
    own = Addressee(
        name=different.pop("name", f"Ateliers {record_id}"),
        siren=different.pop("siren", None),
        email=different.pop("email", "compta@ateliers.example"),
        street="12 rue de la République",
        postcode="42000",
        city="Saint-Étienne",
        departement="42",
        country="FR",
    )
    usual: dict[str, Any] = {
        "version": 1,
        "member_since": date(2019, 3, 1),
        "headcount": heads,
        "own": own,
        "shown": own,
        "status": "active",
    }
    return MemberDescribed(cluster=cluster, record_id=record_id, **usual | different)


def a_former_invoice(record_id: str, first: date, last: date, gross: str = "500.00", **more: Any) -> InvoiceRecorded:
    amount = Decimal(gross)
    usual: dict[str, Any] = {"version": 1, "invoice_id": f"F-{record_id}-{first:%Y}", "number": f"FA-{record_id}"}
    days: dict[str, Any] = {"issued_on": first, "period_starts_on": first, "period_ends_on": last}
    amounts: dict[str, Any] = {"net": amount, "vat": Decimal(0), "gross": amount}
    return InvoiceRecorded(record_id=record_id, **usual | days | amounts | more)


@dataclass(frozen=True)
class Billing:
    """One database, as staff use it."""

    engine: AsyncEngine
    issuers: Mapping[str, Issuer]
    rules: Rules = verdicts
    products: Mapping[str, str] = field(default_factory=dict[str, str])

    def begin(self, connection: Any) -> BillingUnitOfWork:
        return BillingUnitOfWork(connection, "tresorerie", self.issuers, self.rules, self.products)

    async def empty(self) -> None:
        async with self.engine.begin() as connection:
            await connection.exec_driver_sql(EMPTY)

    async def describe(self, *facts: MemberDescribed) -> None:
        await handled(self.engine, self.begin, keep_descriptions, [envelope(fact) for fact in facts])

    async def bill_formerly(self, cluster: str, *facts: InvoiceRecorded) -> None:
        batch = [envelope(fact, f"/{cluster}/billing") for fact in facts]
        await handled(self.engine, self.begin, record_invoices, batch)

    async def hear(self, handler: Any, *facts: Any) -> None:
        await handled(self.engine, self.begin, handler, [envelope(fact) for fact in facts])

    async def merge(self, *facts: Any) -> None:
        await self.hear(apply_merges, *facts)

    async def result(
        self, operation: str, arguments: Mapping[str, Any], by: str = "secretaire", written: str = ""
    ) -> Result:
        """Asked with the key of ``by``; ``written`` is who the request's body says it is."""
        plain = orjson.loads(orjson.dumps(arguments, default=str))
        asked = OperationRequest(
            operation=operation,
            cluster=None,
            arguments=plain,
            author=written or by,
            reason="un test",
            identity=Identity(f"key of {by}", by) if by else None,
        )
        async with self.engine.begin() as connection:
            uow = self.begin(connection)
            result = await carry_out(uow, DEFINITION, DEFINITION.every_operation, asked)
            await uow.outbox.flush(connection)
            return result

    async def ask(self, operation: str, by: str = "secretaire", written: str = "", **arguments: Any) -> dict[str, Any]:
        result = await self.result(operation, arguments, by, written)
        assert result.outcome == "done", result.answer
        return result.answer

    async def refusal(
        self, operation: str, by: str = "secretaire", written: str = "", **arguments: Any
    ) -> tuple[str, str]:
        result = await self.result(operation, arguments, by, written)
        assert result.outcome == "refused", result.answer
        return result.answer["kind"], result.answer["detail"]

    async def adopted(self, **different: Any) -> str:
        """A grid in force; returns its id."""
        replaces = {"replaces": different.pop("replaces")} if "replaces" in different else {}
        grid = a_grid(**different).model_dump(mode="json")
        grid_id = (await self.ask("propose-grid", grid=grid))["grid_id"]
        await self.ask("adopt-grid", by="tresoriere", grid_id=grid_id, **replaces)
        return grid_id

    async def takes_over(self, *clusters: str) -> None:
        """Let Traboule be the authority for these clusters' billing."""
        for cluster in clusters:
            await self.rows("insert into stages values ($1, 'live', 1, now(), 'a test') returning 1", cluster)

    async def issued(self, first: date) -> dict[str, Any]:
        """A run, prepared, approved and issued."""
        run_id = (await self.ask("prepare-run", issuer="merged", first=first))["run_id"]
        await self.ask("approve-run", by="tresoriere", run_id=run_id)
        return await self.ask("issue-run", by="tresoriere", run_id=run_id)

    async def rows(self, sql: str, *values: Any) -> Sequence[Any]:
        async with self.engine.begin() as connection:
            return [tuple(row) for row in await connection.exec_driver_sql(sql, values)]
