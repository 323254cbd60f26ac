"""Where the embedded servers of a state directory keep their data and their sockets."""

import hashlib
import importlib.util
import os
import pwd
import tempfile
from pathlib import Path
from urllib.parse import quote

DATABASE = "promoengine"
SOCKET_PATH_MAX = 90  # the kernel allows about 107, and Postgres adds `/.s.PGSQL.5432.lock`
RUNNING_AS_ROOT = os.geteuid() == 0


def embedded_database_url(state_dir: Path) -> str:
    """Return the URL of the embedded Postgres of this state directory."""
    return f"postgresql://{DATABASE}@/{DATABASE}?host={quote(str(socket_dir(state_dir)), safe='/')}"


def embedded_redis_url(state_dir: Path) -> str:
    """Return the URL of the embedded Valkey of this state directory."""
    return f"unix://{quote(str(valkey_socket(state_dir)), safe='/')}?db=0"


def valkey_socket(state_dir: Path) -> Path:
    return socket_dir(state_dir) / "valkey.sock"


def socket_dir(state_dir: Path) -> Path:
    """Return a short enough directory for unix sockets, private to this state directory."""
    inside = postgres_home(state_dir) / "run"
    if len(str(inside)) <= SOCKET_PATH_MAX:
        return inside
    return Path(tempfile.gettempdir()) / f"promoengine-{os.geteuid()}-{_name_of(state_dir)}"


def postgres_home(state_dir: Path) -> Path:
    """Return the directory that holds Postgres' data.

    Postgres refuses to run as root, and its account may not be able to enter the state directory, as below
    /root: then the data lie in /var/lib under a name made from the state directory.
    """
    state_dir = state_dir.resolve()
    if not RUNNING_AS_ROOT or all(_is_open(folder) for folder in (state_dir, *state_dir.parents)):
        return state_dir
    return Path("/var/lib") / f"promoengine-{_name_of(state_dir)}"


def wheel_folder(package: str) -> Path:
    """Return where a wheel with programs is installed; its Python code is not run."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise RuntimeError(f"{package} is not installed")
    return Path(spec.origin).parent


def postgres_account() -> pwd.struct_passwd | None:
    """Return the account Postgres runs as, or None for the one we run as.

    Raises:
        RuntimeError: we are root and the system has neither a `postgres` nor a `nobody` account.
    """
    if not RUNNING_AS_ROOT:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("Postgres can't run as root, and there is neither a 'postgres' nor a 'nobody' account")


def _is_open(folder: Path) -> bool:
    """Return whether anybody may pass through a directory; one that is yet to be made will be so."""
    return not folder.exists() or bool(folder.stat().st_mode & 0o001)


def _name_of(state_dir: Path) -> str:
    return hashlib.sha256(str(state_dir.resolve()).encode()).hexdigest()[:12]
