"""Who works on a study: a pseudonym, and whether that person may approve."""

import re
from dataclasses import dataclass
from typing import Literal, get_args

from allxai_desktop.errors import AllxaiError
from allxai_desktop.i18n import N_, _

Role = Literal["annotator", "reviewer"]
ROLES: tuple[Role, ...] = get_args(Role)
ROLE_TITLES: dict[Role, str] = {"annotator": N_("Annotator"), "reviewer": N_("Reviewer")}
MAX_NAME = 32


class PersonError(AllxaiError):
    """A pseudonym that cannot be used, and what to do about it."""


@dataclass(frozen=True)
class Person:
    """A pseudonym of 1 to 32 characters, such as "A07", with a role. Raises `PersonError` for any other name."""

    name: str
    role: Role = "annotator"

    def __post_init__(self) -> None:
        # An address would tell who it is, and be sent on with every study.
        if not re.fullmatch(r"[^\W_](?:[\w .-]*\w)?", self.name) or len(self.name) > MAX_NAME:
            raise PersonError(
                _(
                    "A pseudonym has 1 to {most} letters, digits, spaces, dots or hyphens, such as A07: choose another."
                ).format(most=MAX_NAME)
            )
        if self.role not in ROLES:
            raise ValueError(f"no role is called {self.role}")
