"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when it is lost.

The admin asks for one when ``FAIRFOLDER_ADMIN_SECOND_FACTOR`` is on, and of every account that set one up.
"""

from __future__ import annotations

import secrets
from base64 import b32encode
from collections.abc import Sequence
from math import ceil

import django_otp
from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from ingest.errors import FairfolderError

RECOVERY_CODES = 10
_BEGUN = "second_factor_begun"  # in the session: the key of the device it is setting up
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # without what is misread: i, l, o, 0, 1


class CodeError(FairfolderError):
    """A code that is not taken, in words for whoever typed it."""


def is_set_up(user: User) -> bool:
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def holders() -> frozenset[int]:
    """The keys of all accounts that have one."""
    return frozenset(TOTPDevice.objects.filter(confirmed=True).values_list("user", flat=True))


def is_awaited(user: AbstractBaseUser | AnonymousUser) -> bool:
    """Whether this session has yet to show a second factor before it may enter the admin."""
    if not isinstance(user, User) or is_shown(user):
        return False
    return settings.FAIRFOLDER_ADMIN_SECOND_FACTOR or is_set_up(user)


def is_shown(user: User) -> bool:
    """Whether this session has shown its second factor."""
    return getattr(user, "otp_device", None) is not None


def begun(request: HttpRequest, user: User) -> TOTPDevice | None:
    """The app that this session is setting up: no other session of the account is told its secret."""
    mine = request.session.get(_BEGUN)
    found: TOTPDevice | None = TOTPDevice.objects.filter(user=user, confirmed=False, pk=mine).first()
    return found


def begin(request: HttpRequest, user: User) -> TOTPDevice:
    """A new app to set up, with a new secret; one that was begun before, here or elsewhere, is void."""
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user, confirmed=False).delete()
        device: TOTPDevice = TOTPDevice.objects.create(user=user, confirmed=False, name="authenticator app")
    request.session[_BEGUN] = device.pk
    return device


def secret(device: TOTPDevice) -> str:
    """As apps take it: base 32, in groups of four."""
    text = b32encode(device.bin_key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def confirm(request: HttpRequest, user: User, code: str) -> Sequence[str]:
    """Takes the app's first code: from now on the account has a second factor; answers its recovery codes.

    Raises:
        CodeError: when the code is not the app's, this session began none, or the account has another app which
            was not shown yet.
    """
    if is_set_up(user) and not is_shown(user):
        raise CodeError("This account has an authenticator app already; enter a code of that one first.")
    device = begun(request, user)
    if device is None:
        raise CodeError("No app is being set up in this session, or it was begun anew elsewhere; set it up again.")
    _verify(device, code, "Enter the six digits the app shows now; its clock and this machine's must agree.")
    with transaction.atomic():
        TOTPDevice.objects.filter(user=user, confirmed=True).delete()
        TOTPDevice.objects.filter(pk=device.pk).update(confirmed=True)
        codes = renew_recovery(user)
    device.refresh_from_db()
    _show(request, device)
    return codes


def check(request: HttpRequest, user: User, code: str) -> None:
    """Takes a code of the app or a recovery code for this session.

    Raises:
        CodeError: when it is neither, or was used before.
    """
    plain = code.replace(" ", "").replace("-", "").lower()
    model, token = (TOTPDevice, plain) if plain.isdecimal() else (StaticDevice, _kept(plain))
    device = model.objects.filter(user=user, confirmed=True).first()
    if device is None:
        raise CodeError("This code is not accepted. Enter the six digits your app shows now, or a recovery code.")
    _verify(device, token, "Enter the six digits your app shows now, or a recovery code; each is good once.")
    _show(request, device)


def renew_recovery(user: User) -> Sequence[str]:
    """New recovery codes, told once and kept as keyed hashes; those before are void."""
    codes = ["".join(secrets.choice(_ALPHABET) for _ in range(10)) for _ in range(RECOVERY_CODES)]
    with transaction.atomic():
        StaticToken.objects.filter(device__user=user).delete()
        device = StaticDevice.objects.filter(user=user).first() or StaticDevice.objects.create(user=user)
        StaticToken.objects.bulk_create([StaticToken(device=device, token=_kept(code)) for code in codes])
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def recovery_codes_left(user: User) -> int:
    return int(StaticToken.objects.filter(device__user=user).count())


def switch_off(user: User) -> bool:
    """Takes an account's second factor away; answers whether it had one."""
    with transaction.atomic():
        had = is_set_up(user)
        TOTPDevice.objects.filter(user=user).delete()
        StaticDevice.objects.filter(user=user).delete()
    return had


def _kept(code: str) -> str:
    return salted_hmac("fairfolder.recovery", code).hexdigest()[:16]


def _verify(device: TOTPDevice | StaticDevice, token: str, mend: str) -> None:
    allowed, why_not = device.verify_is_allowed()
    if not allowed:
        left = ceil((why_not["locked_until"] - timezone.now()).total_seconds())
        raise CodeError(f"Too many wrong codes; wait {max(1, left)} s and try again.")
    if django_otp.verify_token(device.user, device.persistent_id, token) is None:
        raise CodeError(f"This code is not accepted. {mend}")


def _show(request: HttpRequest, device: TOTPDevice | StaticDevice) -> None:
    django_otp.login(request, device)
    request.session.cycle_key()
