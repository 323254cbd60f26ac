"""The version of definitions, by which processes keep what they have read."""

import pytest
from django.db import transaction

from promoengine.core.services.definitions import current_version, definitions_changed


@pytest.mark.django_db(transaction=True)
def test_a_version_that_was_given_up_is_never_given_again(project):
    with transaction.atomic():
        definitions_changed(project)
        given_up = current_version(project)
        transaction.set_rollback(True)

    definitions_changed(project)

    assert current_version(project) > given_up
