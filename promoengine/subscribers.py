"""Who reacts to what: for each outbox event, the dotted names of the jobs that get it."""

SUBSCRIBERS: dict[str, list[str]] = {}
