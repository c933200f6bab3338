"""Failed sign-ins: how many there were for a user name and from an address, and how long to wait after too many.

Names that do not exist are counted like those that do, so that neither the count nor the wait tells them apart.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from math import ceil
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_failure_limit
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone

SHARED_BY = 5  # an address may be that of a whole building: it has so many times the failures of one name
_IPV6_NETWORK = 64  # a customer is given at least that many addresses of version 6 at once


class Attempts(AxesDatabaseHandler):  # type: ignore[misc]
    """Keeps the failures in the service's database, so that they count for all its processes."""

    def get_failures(self, request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> int:
        """Failures of the name, or of the address, whichever is nearer to its limit; as failures of a name."""
        of_name, of_address = (_failures(rows) for rows in self.get_user_attempts(request, credentials))
        return max(of_name, of_address // SHARED_BY)

    def user_logged_in(self, sender: Any, request: HttpRequest, user: AbstractBaseUser, **kwargs: Any) -> None:
        """Forgets the failures of whoever got in; those of other names still count for the address."""
        super().user_logged_in(sender, request, user, **kwargs)
        forget(user.get_username())


def _failures(rows: QuerySet[Any]) -> int:
    return int(rows.aggregate(sum=Sum("failures_since_start"))["sum"] or 0)


def address(request: HttpRequest) -> str | None:
    """Where a request comes from: the address of whoever connects, or behind ``FAIRFOLDER_PROXIES`` proxies what the
    outermost of them saw. What stands before that in ``X-Forwarded-For`` anybody may have written.

    Addresses of version 6 stand for their network.
    """
    seen = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
    proxies = settings.FAIRFOLDER_PROXIES
    forwarded = seen[-proxies] if 0 < proxies <= len(seen) else ""
    return _network(forwarded) or _network(request.META.get("REMOTE_ADDR", ""))


def _network(text: str) -> str | None:
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((int(found), _IPV6_NETWORK), strict=False).network_address)
    return str(found)


def minutes_to_wait(request: HttpRequest, credentials: Mapping[str, Any] | None) -> int:
    """Until this name may be tried again from this address; at least 1."""
    limit = get_failure_limit(request, credentials)
    of_name, of_address = Attempts().get_user_attempts(request, credentials)
    too_many = [rows for rows, most in ((of_name, limit), (of_address, limit * SHARED_BY)) if _failures(rows) >= most]
    latest = [rows.aggregate(at=Max("attempt_time"))["at"] for rows in too_many]
    waits = [(at + settings.AXES_COOLOFF_TIME - timezone.now()).total_seconds() for at in latest]
    return max(1, ceil(max(waits, default=0.0) / 60))


def forget(name: str) -> None:
    """Lets a name be tried again at once."""
    AccessAttempt.objects.filter(username=name).delete()
