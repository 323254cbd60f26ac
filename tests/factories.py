"""One valid row of each kind, and nothing else."""

import factory

from campaigns.models import (
    Campaign,
    Category,
    Product,
    ProductCollection,
    PromotionTier,
    Sku,
    ValidationRule,
)
from customers.models import Customer
from promoengine.core.models import Project
from vouchers.models import Voucher


class ProjectFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Project

    key = factory.Sequence(lambda n: f"shop-{n}")
    name = factory.Sequence(lambda n: f"Shop {n}")
    client_trusted_domains = ["*"]


class CustomerFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Customer

    project = factory.SubFactory(ProjectFactory)
    source_id = factory.Sequence(lambda n: f"user-{n}")
    name = "Alice"
    email = factory.Sequence(lambda n: f"alice{n}@example.com")


class CategoryFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Category

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Category {n}")


class CampaignFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Campaign

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Campaign {n}")
    discount = factory.LazyFunction(lambda: {"type": "PERCENT", "percent_off": 10})


class PromotionTierFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = PromotionTier

    campaign = factory.SubFactory(
        CampaignFactory, project=factory.SelfAttribute("..project"), campaign_type="PROMOTION", discount=None
    )
    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Tier {n}")
    discount = factory.LazyFunction(lambda: {"type": "AMOUNT", "amount_off": 500})


class ValidationRuleFactory(factory.django.DjangoModelFactory):
    """A rule without conditions, which everybody meets."""

    class Meta:
        model = ValidationRule

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Rule {n}")


class VoucherFactory(factory.django.DjangoModelFactory):
    """A discount code of its own: 10.00 off, without limit."""

    class Meta:
        model = Voucher

    project = factory.SubFactory(ProjectFactory)
    code = factory.Sequence(lambda n: f"CODE-{n}")
    code_key = factory.SelfAttribute("code")
    discount = factory.LazyFunction(lambda: {"type": "AMOUNT", "amount_off": 1000})


class GiftCardFactory(VoucherFactory):
    """A gift card of its own, with all of its 50.00 left."""

    type = Voucher.Type.GIFT_VOUCHER
    discount = None
    gift_amount = 5000
    gift_balance = factory.SelfAttribute("gift_amount")


class ProductFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Product

    project = factory.SubFactory(ProjectFactory)
    source_id = factory.Sequence(lambda n: f"product-{n}")
    name = "Shoe"
    price = 5000


class SkuFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Sku

    project = factory.SubFactory(ProjectFactory)
    product = factory.SubFactory(ProductFactory, project=factory.SelfAttribute("..project"))
    source_id = factory.Sequence(lambda n: f"sku-{n}")
    sku = "Shoe 42"


class ProductCollectionFactory(factory.django.DjangoModelFactory):
    """What costs less than 60.00."""

    class Meta:
        model = ProductCollection

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda n: f"Collection {n}")
    type = "AUTO_UPDATE"
    filter = factory.LazyFunction(
        lambda: {"junction": "and", "price": {"conditions": {"$less_than": [6000]}}}
    )
