"""What every command's body has: who decides it, and why."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from services.membership.identity.decisions import LONGEST_AUTHOR, LONGEST_REASON
from shared.runtime.text import is_text


def single_line(text: str) -> str:
    """Raises ValueError where it is more than a line, or none."""
    if not text.strip() or not is_text(text):
        raise ValueError("must be text on one line")
    return text.strip()


Line = AfterValidator(single_line)
_Author = Annotated[str, Field(min_length=1, max_length=LONGEST_AUTHOR), Line]
Reason = Annotated[str, Field(min_length=1, max_length=LONGEST_REASON, description="kept in the history"), Line]


class Signed(BaseModel):
    """Who decides it, if not the API key's own name."""

    model_config = ConfigDict(extra="forbid", strict=True)

    author: _Author | None = Field(None, description="who decides it; else the API key's name")


class Deciding(Signed):
    """Why it is done."""

    reason: Reason
