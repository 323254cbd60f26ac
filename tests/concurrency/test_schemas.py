"""Schemas that are defined while everybody writes."""

from datetime import UTC, datetime

import pytest

from customers.models import Customer
from promoengine.core.models import ApiKey, MetadataSchema
from promoengine.core.services.metadata_schemas import define_attribute
from tests.api import Api
from tests.concurrency.parallel import in_parallel

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = {"type": "number"}


def test_one_resource_has_one_schema_however_many_make_it(project):
    management = Api(project, ApiKey.Kind.MANAGEMENT)
    url = f"/management/v1/projects/{project.public_id}/metadata-schemas"

    answers = in_parallel(
        8, lambda _: management.post(url, {"related_object": "customer", "properties": {"level": NUMBER}})
    )

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert MetadataSchema.objects.count() == 1


def test_definitions_made_at_once_are_all_kept(project):
    now = datetime(2026, 3, 1, tzinfo=UTC)

    in_parallel(
        8, lambda number: define_attribute(project, "customer", f"a{number}", definition=NUMBER, now=now)
    )

    assert sorted(MetadataSchema.objects.get().properties) == [f"a{number}" for number in range(8)]


def test_who_was_let_in_came_before_the_schema_and_nobody_after(project, api):
    now = datetime(2026, 3, 1, tzinfo=UTC)

    def act(number):
        if number == 5:
            define_attribute(project, "customer", "level", definition=NUMBER, now=now)
            return api.post("/v1/customers", {"source_id": "after", "metadata": {"level": "x"}})
        return api.post("/v1/customers", {"source_id": f"c{number}", "metadata": {"level": "x"}})

    answers = in_parallel(12, act)

    assert answers[5].status_code == 400
    assert {answer.status_code for answer in answers} <= {200, 400}
    let_in = {f"c{number}" for number, answer in enumerate(answers) if answer.status_code == 200}
    assert set(Customer.objects.values_list("source_id", flat=True)) == let_in
    assert api.post("/v1/customers", {"source_id": "late", "metadata": {"level": "x"}}).status_code == 400
