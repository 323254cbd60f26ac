"""Health: do the project's counts say what its ledgers say, as of the last check?"""

from django.contrib import admin, messages
from django.contrib.auth.decorators import user_passes_test
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from promoengine.core.admin_project import current_project
from promoengine.core.models import AsyncAction
from promoengine.core.services.async_actions import UNFINISHED
from redemptions.services.reconcile import RECONCILE, start_reconciling

for_superusers = user_passes_test(lambda user: user.is_active and user.is_superuser, login_url="admin:login")


@for_superusers
@require_http_methods(["GET", "POST"])
def health(request: HttpRequest) -> HttpResponse:
    """Show the last check of the current project, and start another."""
    project = current_project(request)
    checks = AsyncAction.objects.filter(project=project, type=RECONCILE).order_by("-id")
    if request.method == "POST":
        if checks.filter(status__in=UNFINISHED).exists():
            messages.warning(request, _("A check is running already."))
        else:
            start_reconciling(project, now=timezone.now())
            messages.success(request, _("The check has been started."))
        return HttpResponseRedirect(reverse("health"))
    check = checks.first()
    context = admin.site.each_context(request) | {
        "title": _("Health"),
        "project": project,
        "check": check,
        "is_running": check is not None and check.status in UNFINISHED,
        "is_done": check is not None and check.status == AsyncAction.Status.DONE,
    }
    return render(request, "dashboard/health.html", context)
