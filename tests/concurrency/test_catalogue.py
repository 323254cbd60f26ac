"""The catalogue while many write to it at once."""

import pytest

from campaigns.models import Product, Sku
from promoengine.core.services.definitions import current_version
from tests.concurrency.parallel import in_parallel
from tests.factories import VoucherFactory
from tests.redemptions.storefront import redeem

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_source_id_is_one_product_however_many_send_it(api, project):
    answers = in_parallel(
        16, lambda number: api.post("/v1/products", {"source_id": "shoe", "metadata": {str(number): number}})
    )

    assert {answer.status_code for answer in answers} == {200}
    assert Product.objects.get().metadata == {str(number): number for number in range(16)}
    assert current_version(project) > project.definitions_version


def test_one_source_id_is_one_sku_however_many_send_it(api, project):
    api.post("/v1/products", {"source_id": "shoe"})

    answers = in_parallel(16, lambda _: api.post("/v1/products/shoe/skus", {"source_id": "42"}))

    assert {answer.status_code for answer in answers} == {200}
    assert Sku.objects.count() == 1


def test_redemptions_at_once_store_a_new_product_once(api, project):
    code = VoucherFactory(project=project).code

    def act(number):
        product = {"name": "Phone", "metadata": {"number": number % 4}, "override": True}
        return redeem(api, code, order={"items": [{"source_id": "phone", "price": 9000, "product": product}]})

    answers = in_parallel(12, act)

    assert {answer["redemptions"][0]["result"] for answer in answers} == {"SUCCESS"}
    assert Product.objects.get().metadata["number"] in range(4)
