from pathlib import Path


def embedded_database_url(state_dir: Path) -> str:
    return "postgresql:///promoengine"


def embedded_redis_url(state_dir: Path) -> str:
    return "redis://localhost"


def secret_key(state_dir: Path) -> str:
    return "x"
