import django

from tests import servers

servers.ensure_started()
django.setup()

from tests.fixtures import *  # noqa: E402, F403 - models can be imported only now
from tests.product import product  # noqa: E402, F401
