"""Who may look at something and not change it sees its page."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from tests import factories

MADE = [
    factories.CampaignFactory,
    factories.PromotionTierFactory,
    factories.VoucherFactory,
    factories.ProductFactory,
    factories.SkuFactory,
    factories.ProductCollectionFactory,
    factories.ValidationRuleFactory,
    factories.CategoryFactory,
    factories.CustomerFactory,
]


@pytest.mark.parametrize("factory", MADE, ids=lambda factory: factory._meta.model.__name__)
def test_a_page_is_shown_to_those_who_may_only_look(client, project, factory):
    row = factory(project=project)
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename=f"view_{row._meta.model_name}"))
    client.force_login(user)

    page = client.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))

    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
