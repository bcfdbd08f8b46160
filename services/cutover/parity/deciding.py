"""What people decide of the newest comparison's differences: accepted, taken back, given to somebody.

The ``traboule`` command and what comes by the HTTP gateway decide here alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from services.cutover.operations import CutoverError
from services.cutover.parity import listing, runs
from services.cutover.parity.listing import Filter
from services.cutover.parity.run import LENGTH_OF_NAME, Run, Subject

_CANDIDATES: Final = 5


@dataclass(frozen=True, slots=True)
class Choice:
    """Which differences of the newest run: those whose ids begin so, or all that the filter lets through."""

    beginnings: Sequence[str] = ()
    filter: Filter = field(default_factory=Filter)


@dataclass(frozen=True, slots=True)
class Decided:
    """The run, and by their names the differences that changed, and those that were so already."""

    run: Run
    changed: Sequence[str]
    unchanged: Sequence[str]


@dataclass(frozen=True, slots=True)
class Comparisons:
    """Those with one former system, of one subject, as they stand in a transaction of its service."""

    connection: AsyncConnection
    cluster: str
    service: str
    subject: Subject = "mirror"

    @property
    def system(self) -> str:
        """As people write it."""
        return f"{self.cluster}/{self.service}"

    async def newest(self) -> Run:
        """The newest run, without its differences. Raises CutoverError ``never-compared`` and ``never-rehearsed``."""
        run = await runs.newest(self.connection, self.cluster, self.subject, with_differences=False)
        if run is not None:
            return run
        if self.subject == "rehearsal":
            raise CutoverError("never-rehearsed", f"{self.system} was never rehearsed: traboule rehearse {self.system}")
        mend = f"traboule parity --as {self.system} EXPORT-FILE"
        raise CutoverError("never-compared", f"{self.system} was never compared with what it holds: {mend}")

    async def accept(self, choice: Choice, *, by: str, reason: str) -> Decided:
        """Let differences stay for as long as they are the same. Raises CutoverError."""
        run, digests = await self._chosen(choice)
        changed = await runs.accept(self.connection, self.cluster, digests, by=by, reason=reason)
        return _decided(run, digests, changed)

    async def take_back(self, choice: Choice, *, by: str, reason: str) -> Decided:
        """Open accepted differences again. Raises CutoverError."""
        run, digests = await self._chosen(choice)
        changed = await runs.take_back(self.connection, self.cluster, digests, by=by, reason=reason)
        return _decided(run, digests, changed)

    async def assign(self, choice: Choice, owner: str | None) -> Decided:
        """Give differences to somebody, or to nobody. Raises CutoverError."""
        # Before the newest run is looked up: one that is being kept right now is the one to write to.
        await runs.take_turn(self.connection, self.cluster, self.subject)
        run, digests = await self._chosen(choice)
        changed = await runs.assign(self.connection, run.number, digests, owner)
        return _decided(run, digests, changed)

    async def named(self, run: Run, beginnings: Sequence[str]) -> list[str]:
        """The digests of differences that are named by how they begin.

        Raises CutoverError ``difference-unknown``, and ``difference-ambiguous`` where several begin so.
        """
        wanted = list(dict.fromkeys(beginning.lower() for beginning in beginnings))
        found = await listing.begin_so(self.connection, run, wanted, _CANDIDATES + 1)
        if unknown := [beginning for beginning in wanted if not found[beginning]]:
            detail = f"the newest comparison of {self.system} found no difference {', '.join(unknown[:_CANDIDATES])}"
            raise CutoverError("difference-unknown", detail)
        for beginning, digests in found.items():
            if len(digests) > 1:
                names = ", ".join(digest[:16] for digest in digests[:_CANDIDATES])
                more = ", …" if len(digests) > _CANDIDATES else ""
                raise CutoverError("difference-ambiguous", f"several differences begin with {beginning}: {names}{more}")
        return list(dict.fromkeys(digest for digests in found.values() for digest in digests))

    async def _chosen(self, choice: Choice) -> tuple[Run, list[str]]:
        run = await self.newest()
        if choice.beginnings:
            return run, await self.named(run, choice.beginnings)
        digests = await listing.matching(self.connection, run, choice.filter)
        if not digests:
            raise CutoverError("difference-unknown", "no difference matches")
        return run, digests


def _decided(run: Run, digests: Sequence[str], changed: set[str]) -> Decided:
    return Decided(
        run,
        [digest[:LENGTH_OF_NAME] for digest in digests if digest in changed],
        [digest[:LENGTH_OF_NAME] for digest in digests if digest not in changed],
    )
