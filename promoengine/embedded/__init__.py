"""Real Postgres and Valkey servers from PyPI wheels, started beside the product and stopped with it.

Nothing here needs Django: settings ask `place` where the servers of a state directory are, whether they run
or not.
"""
