"""Whatever staff do with documents and money, in any order: the books and sums are those that are added up plainly."""

import asyncio
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncEngine

from schemas.billing_grids import Vat
from services.billing.documents.draft import DraftLine
from shared.persistence.database import create_engine
from tests.integration.billing.test_ledger import TODAY, balances, issued
from tests.integration.billing.test_numbering import a_draft
from tests.support.billing import Billing, a_description, shipped_issuers
from tests.support.examples import examples
from tests.support.merging import Database
from tests.support.payments import paid

T = TypeVar("T")
CENTS = st.integers(1, 50_000)


class Treasurer(RuleBasedStateMachine):
    """Bills, credits, and moves money, and adds it all up plainly beside: lists of amounts, and sums of them.

    What is refused must be what the plain sums forbid.
    """

    url: ClassVar[str]

    @initialize()
    def begin(self) -> None:
        self.runner = asyncio.Runner()
        self.engine: AsyncEngine = create_engine(self.url, application="tests", pool_size=1)
        self.office = Billing(self.engine, shipped_issuers())
        self.wait(self.office.empty())
        self.wait(self.office.describe(*(a_description("numelink", record) for record in ("A", "B"))))
        self.wait(self.office.takes_over("numelink"))
        self.documents: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.allocations: list[dict[str, Any]] = []
        self.refunds: list[dict[str, Any]] = []

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.wait(self.engine.dispose())
            self.runner.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def asked(self, operation: str, by: str = "secretaire", **arguments: Any) -> dict[str, Any] | None:
        """The answer; None where it is refused."""
        result = self.wait(self.office.result(operation, arguments, by))
        assert result.outcome == "done" or result.answer["kind"] != "arguments-invalid", result.answer
        return result.answer if result.outcome == "done" else None

    # The naive sums.

    def free(self, payment: str) -> Decimal:
        kept = self.payments[payment]
        allocated = sum(each["amount"] for each in self.allocations if each["payment"] == payment)
        refunded = sum(each["amount"] for each in self.refunds if each["payment"] == payment and each["approved"])
        return Decimal(0) if kept["returned"] else kept["amount"] - allocated - refunded

    def owed(self, number: str) -> Decimal:
        document = self.documents[number]
        allocated = sum(each["amount"] for each in self.allocations if each["number"] == number)
        return document["gross"] - sum(document["credits"]) - allocated

    @rule(record=st.sampled_from("AB"), cents=CENTS)
    def bill(self, record: str, cents: int) -> None:
        line = DraftLine(code="dues", label="x", amount=Decimal(cents) / 100, units=(), days=(), vat=Vat(),
                         account="7561")  # fmt: skip
        [number] = self.wait(issued(self.office, a_draft(record, lines=(line,))))
        [(document_id,)] = self.wait(self.office.rows(
            "select document_id::text from documents where number = $1", number))  # fmt: skip
        self.documents[number] = {"gross": line.amount, "credits": [], "id": document_id, "record": record}

    @rule(data=st.data(), cents=CENTS)
    def credit(self, data: st.DataObject, cents: int) -> None:
        if not self.documents:
            return
        number = data.draw(st.sampled_from(list(self.documents)))
        document = self.documents[number]
        left = document["gross"] - sum(document["credits"])
        amount = min(Decimal(cents) / 100, left)
        if amount == 0:
            return
        line = DraftLine(code="dues", label="x", amount=amount, units=(), days=(), vat=Vat(), account="7561",
                         corrects_place=0)  # fmt: skip
        self.wait(issued(self.office, a_draft(document["record"], kind="credit-note", corrects=document["id"],
                                              lines=(line,))))  # fmt: skip
        document["credits"].append(amount)
        excess = -self.owed(number)
        for each in reversed([each for each in self.allocations if each["number"] == number]):
            taken = min(each["amount"], max(excess, Decimal(0)))
            each["amount"] -= taken
            excess -= taken
            if taken:
                # What stays of it is an allocation of its own, and the newest.
                self.allocations.remove(each)
                if each["amount"]:
                    self.allocations.append(each | {"id": None})

    @rule(record=st.sampled_from("AB"), cents=CENTS, means=st.sampled_from(["transfer", "cheque", "cash"]))
    def pay(self, record: str, cents: int, means: str) -> None:
        amount = Decimal(cents) / 100
        payment = self.wait(paid(self.office, f"{amount:.2f}", f"numelink/{record}", means=means))
        self.payments[payment["payment_id"]] = {"amount": amount, "returned": False}

    @rule(data=st.data(), cents=CENTS)
    def allocate(self, data: st.DataObject, cents: int) -> None:
        if not self.payments or not self.documents:
            return
        payment = data.draw(st.sampled_from(list(self.payments)))
        number = data.draw(st.sampled_from(list(self.documents)))
        most = min(self.free(payment), self.owed(number))
        amount = data.draw(st.sampled_from([Decimal(cents) / 100, most, most + Decimal("0.01")]))
        if amount <= 0:
            return
        part = [{"number": number, "amount": f"{amount:.2f}"}]
        done = self.asked("allocate-payment", payment_id=payment, documents=part)
        assert (done is not None) == (amount <= most)
        if done is not None:
            known = {each["id"] for each in self.allocations}
            [fresh] = [each["allocation_id"] for each in done["allocations"]
                       if each["allocation_id"] not in known and self.is_new(each)]  # fmt: skip
            self.allocations.append({"payment": payment, "number": number, "amount": amount, "id": fresh})

    def is_new(self, shown: dict[str, Any]) -> bool:
        """Whether it is no rest that a credit note left."""
        rests = "select count(*) from allocations where allocation_id = $1::uuid and reason like 'credited by%'"
        return self.wait(self.office.rows(rests, shown["allocation_id"])) == [(0,)]

    @rule(data=st.data())
    def undo(self, data: st.DataObject) -> None:
        known = [each for each in self.allocations if each["id"]]
        if known:
            each = data.draw(st.sampled_from(known))
            assert self.asked("undo-allocation", allocation_id=each["id"]) is not None
            self.allocations.remove(each)
            assert self.asked("undo-allocation", allocation_id=each["id"]) is None

    @rule(data=st.data(), cents=CENTS)
    def ask_refund(self, data: st.DataObject, cents: int) -> None:
        if self.payments:
            payment = data.draw(st.sampled_from(list(self.payments)))
            # What is asked back already, and nobody approved yet, is not asked back a second time.
            pending = sum(e["amount"] for e in self.refunds if e["payment"] == payment and not e["approved"])
            left = self.free(payment) - pending
            amount = data.draw(st.sampled_from([Decimal(cents) / 100, max(left, Decimal("0.01"))]))
            done = self.asked("refund-payment", payment_id=payment, amount=f"{amount:.2f}")
            assert (done is not None) == (amount <= left)
            if done is not None:
                refund = done["refunds"][-1]["refund_id"]
                self.refunds.append({"payment": payment, "amount": amount, "approved": False, "id": refund})

    @rule(data=st.data())
    def approve_refund(self, data: st.DataObject) -> None:
        if self.refunds:
            refund = data.draw(st.sampled_from(self.refunds))
            may = not refund["approved"] and refund["amount"] <= self.free(refund["payment"])
            what = {"refund_id": refund["id"], "paid_on": TODAY}
            assert self.asked("approve-refund", **what) is None, "who asked for it"
            assert (self.asked("approve-refund", by="tresoriere", **what) is not None) == may
            refund["approved"] = refund["approved"] or may

    @rule(data=st.data(), fee=st.sampled_from(["0.00", "12.30"]))
    def give_back(self, data: st.DataObject, fee: str) -> None:
        if self.payments:
            payment = data.draw(st.sampled_from(list(self.payments)))
            kept = self.payments[payment]
            refunded = any(each["approved"] and each["payment"] == payment for each in self.refunds)
            what = {"payment_id": payment, "returned_on": TODAY, "code": "AC04", "fee": fee}
            assert (self.asked("return-payment", **what) is not None) == (not kept["returned"] and not refunded)
            if not kept["returned"] and not refunded:
                kept |= {"returned": True, "fee": Decimal(fee)}
                self.allocations = [each for each in self.allocations if each["payment"] != payment]

    @invariant()
    def sums_are_the_naive_ones(self) -> None:
        if not hasattr(self, "payments"):
            return
        rows = self.wait(self.office.rows("select payment_id::text, free_of(payment_id) from payments_received"))
        assert dict(rows) == {payment: self.free(payment) for payment in self.payments}
        rows = self.wait(self.office.rows(
            "select number, owed_of(document_id) from documents where kind <> 'credit-note'"))  # fmt: skip
        assert dict(rows) == {number: self.owed(number) for number in self.documents}
        assert all(self.free(payment) >= 0 for payment in self.payments)
        assert all(self.owed(number) >= 0 for number in self.documents)

    @invariant()
    def the_books_are_the_naive_sums(self) -> None:
        if not hasattr(self, "payments"):
            return
        unbalanced = self.wait(self.office.rows(
            "select entry_id from entries left join entry_lines using (entry_id) group by entry_id"
            " having count(*) < 2 or sum(debit) <> sum(credit)"))  # fmt: skip
        assert unbalanced == []
        sums = {key: Decimal(amount) for key, amount in self.wait(balances(self.office)).items()}
        billed = sum((each["gross"] - sum(each["credits"]) for each in self.documents.values()), Decimal(0))
        allocated = sum((each["amount"] for each in self.allocations), Decimal(0))
        free = sum((self.free(payment) for payment in self.payments), Decimal(0))
        fees = sum((each.get("fee", Decimal(0)) for each in self.payments.values()), Decimal(0))
        cash = sum((sums.get(account, Decimal(0)) for account in ("512", "5112", "530")), Decimal(0))
        assert sums.get("411", Decimal(0)) == billed - allocated
        assert sums.get("7561", Decimal(0)) == -billed
        assert sums.get("4191", Decimal(0)) == -free
        assert sums.get("627", Decimal(0)) == fees
        assert cash == allocated + free - fees


def test_the_books_and_all_sums_are_those_that_are_added_up_plainly(billing_database: Database) -> None:
    machine = type("OnDatabase", (Treasurer,), {"url": billing_database.url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(100),
            stateful_step_count=25,
            deadline=None,
            phases=(Phase.generate,),
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
        ),
    )
