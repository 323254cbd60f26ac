"""Where a request comes from, as redemptions keep it and rules may ask."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """The key's or user's id, what kind of caller, its own name; and what the key, or user, is called.

    `is_public` is what comes with a key that anybody can read in a shop's pages.
    """

    id: str = ""
    type: str = "API"
    name: str = "API"
    caller: str = ""
    is_public: bool = False

    @property
    def api_key(self) -> tuple[str, ...] | None:
        """What rules know the redeeming key by: its id and its name."""
        return (self.id, self.caller) if self.type == "API" and self.id else None

    @property
    def user(self) -> str | None:
        """What rules know the redeeming user by."""
        return self.caller or self.id if self.type == "USER" else None
