"""Moving a former system over: where it stands, as our services tell it, and what it says that it holds."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.base import Announced, AnnouncedRecord, Fact, Key, Label, Moment, Part, Version

Stage = Literal["legacy", "mirror", "live", "retired"]


class StageChanged(AnnouncedRecord):
    """Who is the authority for one cluster's records in one service: the former system, or we."""

    key: ClassVar[str] = "stage-changed"

    stage: Stage
    since: Moment
    by: Label


MOST_KEYS = 1_000


class WriteAccessChanged(Announced):
    """Until when staff can write: each API key that may, by the day that it expires, and by nothing else.

    A service that is to become the authority must know whether anybody could write then.
    """

    service: ClassVar[str] = "membership"
    key: ClassVar[str] = "write-access-changed"

    expires_at: Annotated[tuple[Moment, ...], Field(max_length=MOST_KEYS)] = Field(
        default=(), description="When each key that may write expires, the last first; of very many the last 1,000"
    )


Count = Annotated[int, Field(ge=0, lt=2**63)]
"""How many records."""

PART_RECORDS = 20_000
"""Records in one part of a manifest, at most: with ids of usual length it fits into one message."""

MOST_RECORDS = 2_000_000
"""Records in all parts of a manifest together, at most: some ten times what the largest former system holds."""

COUNTS = (
    "How many records of each kind the former system holds, in all parts together; every part may say so, or one. "
    "Of a kind that is neither counted nor listed it holds none; one that is only counted is compared by its count"
)
RECORDS = (
    "The records that it holds, each listed once: 20,000 in a part at most, "
    "and in each of n parts at most 2,000,000 / n"
)


class ManifestRecord(Part):
    """One record that a former system holds. With neither version nor digest, only that it is there is compared."""

    id: Key = Field(description="The record's own id in the former system: invoice_id of an invoice, and so on")
    version: Version | None = Field(default=None, description="Its version, as the fact about it says")
    digest: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        default=None, description="SHA-256 of the fact about it in its normal form, in 64 small hex digits"
    )


class ManifestRecorded(Fact):
    """What a former system holds, all of it, for comparing it with our mirror. Each service has its own kinds."""

    key: ClassVar[str] = "manifest-recorded"

    version: Version = Field(
        description="The manifest's own number, or its time in microseconds since 1970: the largest is the newest"
    )
    part: Annotated[int, Field(ge=1, le=1_000)] = Field(
        default=1,
        description="Which part this is: a manifest of many records is cut, and every part has the same version",
    )
    parts: Annotated[int, Field(ge=1, le=1_000)] = Field(default=1, description="Of how many parts it is made")

    @model_validator(mode="after")
    def _counted(self) -> Self:
        if self.part > self.parts:
            raise ValueError("part must not be larger than parts")
        # Each part is judged by itself, whatever arrived before: so the sum of all keeps to the limit too.
        listed, most = len(getattr(self, "records", ())), MOST_RECORDS // self.parts
        if listed > most:
            raise ValueError(
                f"a manifest lists at most {MOST_RECORDS:,} records: of {self.parts} parts each has at most {most:,}, "
                f"and this one has {listed:,}. Cut it into fewer parts, or only count the kinds that are so many"
            )
        return self
