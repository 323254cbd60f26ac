"""Whose codes the dashboard shows, and to whom."""

from django.contrib.auth.models import User
from django.urls import reverse

from tests.factories import ProjectFactory, VoucherFactory


def test_the_dashboard_shows_its_project_alone(marketer, project):
    VoucherFactory(project=project, code="MINE")
    VoucherFactory(project=ProjectFactory(), code="FOREIGN")

    page = marketer.get("/admin/vouchers/voucher/").content.decode()

    assert ("MINE" in page, "FOREIGN" in page) == (True, False)


def test_another_project_is_worked_in_once_it_is_chosen(marketer, project):
    other = ProjectFactory()
    VoucherFactory(project=other, code="FOREIGN")

    marketer.get(reverse("admin:core_project_work_here", args=[other.pk]))

    assert "FOREIGN" in marketer.get("/admin/vouchers/voucher/").content.decode()


def test_someone_without_permission_sees_no_codes(client, project):
    client.force_login(User.objects.create_user("visitor", is_staff=True))

    assert client.get("/admin/vouchers/voucher/").status_code == 403
    assert client.get("/admin/").status_code == 200
