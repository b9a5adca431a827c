"""How staff get in: password, second factor, limits, sessions; and what of it is written down."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.cache import caches
from django.test import Client
from django.urls import reverse
from django_otp.oath import totp

from guardlabs.staff import factors, limits
from guardlabs.staff.checks import second_factor as check

pytestmark = pytest.mark.django_db
LOGIN, HOME, FACTOR = "/admin/login/", "/admin/", "/admin/second-factor/"


@pytest.fixture(autouse=True)
def _no_failures():
    limits._own.clear()


@pytest.fixture
def anna():
    return User.objects.create_superuser("anna", password="right-horse")


def log_in(client, *, password="right-horse", code="", name="anna"):
    return client.post(LOGIN, {"username": name, "password": password, "code": code, "next": HOME})


def code_of(device):
    return f"{totp(device.bin_key, step=device.step, digits=device.digits):06d}"


def enrol(user):
    """An app and its recovery codes, as the page makes them; the code's time step is free again."""
    device = factors.begin(user)
    codes = factors.confirm(device, code_of(device))
    device.last_t = -1
    device.save()
    return device, codes


# -- the second factor -------------------------------------------------------------------------------
def test_without_a_second_factor_the_password_is_enough(client, anna):
    assert log_in(client).url == HOME
    assert client.get(HOME).status_code == 200


def test_whoever_has_one_needs_its_code(client, anna):
    device, _ = enrol(anna)
    assert log_in(client).status_code == 200  # the form again
    assert client.get(HOME).status_code == 302
    assert log_in(client, code="000000").status_code == 200
    device.refresh_from_db()
    device.throttle_reset()
    assert log_in(client, code=code_of(device)).url == HOME
    assert client.get(HOME).status_code == 200


def test_each_recovery_code_opens_once(client, anna):
    _, codes = enrol(anna)
    assert len(set(codes)) == factors.CODES
    assert log_in(client, code=codes[0]).url == HOME
    client.logout()
    assert log_in(client, code=codes[0]).status_code == 200
    assert log_in(Client(REMOTE_ADDR="203.0.113.9"), code=codes[1]).status_code in {200, 302}


def test_setting_it_up_shows_a_code_to_scan_and_recovery_codes_once(client, anna):
    client.force_login(anna)
    page = client.get(FACTOR).content.decode()
    assert 'src="data:image/svg+xml' in page
    assert "fill%3D%27%23fff%27" in page  # on white, or no camera reads it on a dark page
    assert "style=" not in page.split('id="content-main"')[1].split("</form>")[0]
    device = factors.begin(anna)
    wrong = client.post(FACTOR, {"code": "12345"})
    assert wrong.status_code == 400
    assert not factors.has_one(anna)
    device.refresh_from_db()
    device.throttle_reset()
    done = client.post(FACTOR, {"code": code_of(device)}).content.decode()
    codes = re.search(r"<pre>(.*?)</pre>", done, re.S)[1].split()
    assert len(codes) == factors.CODES
    assert codes[0] not in client.get(FACTOR).content.decode()
    assert client.get(HOME).status_code == 200
    assert "second factor" in LogEntry.objects.get().get_change_message()


def test_where_it_is_enforced_nobody_gets_in_without_one(client, anna, settings):
    settings.STAFF_2FA = True
    log_in(client)
    assert client.get(HOME).status_code == 302
    assert client.get(LOGIN).url == FACTOR
    device = factors.begin(anna)
    client.get(FACTOR)
    client.post(FACTOR, {"code": code_of(device)})
    assert client.get(HOME).status_code == 200


def test_a_password_alone_does_not_replace_the_second_factor(client, anna, settings):
    settings.STAFF_2FA = True
    enrol(anna)
    client.force_login(anna)  # without its code
    assert client.get(FACTOR).status_code == 403
    assert client.post(FACTOR, {"codes": "1"}).status_code == 403


def test_strangers_and_visitors_have_no_second_factor(client):
    assert client.get(FACTOR).url.startswith(LOGIN)
    client.force_login(User.objects.create_user("visitor", password="x"))
    assert client.get(FACTOR).url.startswith(LOGIN)


@pytest.mark.parametrize("lang", ["ru", "es"])
def test_login_and_set_up_speak_the_languages(client, anna, lang):
    english = client.get(LOGIN).content
    assert client.get(LOGIN, headers={"accept-language": lang}).content != english
    client.force_login(anna)
    assert b"Scan this" not in client.get(FACTOR, headers={"accept-language": lang}).content


def test_a_public_site_without_it_is_warned(settings):
    settings.HTTPS, settings.STAFF_2FA = True, False
    assert [each.id for each in check()] == ["staff.W001"]
    assert "STAFF_2FA=on" in check()[0].hint
    settings.STAFF_2FA = True
    assert check() == []


# -- limits ------------------------------------------------------------------------------------------
def test_an_account_cannot_be_guessed_from_one_address(client, anna):
    for _ in range(limits.PER_ACCOUNT):
        log_in(client, password="wrong")
    refused = log_in(client)
    assert refused.status_code == 200
    assert "too many attempts" in refused.content.decode()
    assert log_in(Client(REMOTE_ADDR="203.0.113.9")).url == HOME  # its owner is somewhere else


def test_an_address_cannot_try_all_accounts(client, anna):
    for number in range(limits.PER_ADDRESS):
        log_in(client, name=f"user{number}", password="wrong")
    assert log_in(client).status_code == 200


def test_a_cache_that_is_away_opens_no_door(client, anna, monkeypatch):
    def away(*arguments, **options):
        raise ConnectionError("no cache")

    for name in ("get", "add", "incr", "delete"):
        monkeypatch.setattr(caches["logins"], name, away)
    for _ in range(limits.PER_ACCOUNT):
        assert log_in(client, password="wrong").status_code == 200
    assert log_in(client).status_code == 200


def test_every_reason_has_the_same_words(client, anna):
    enrol(anna)
    told = {
        tuple(response.context["form"].non_field_errors())
        for response in (log_in(client, password="wrong"), log_in(client), log_in(client, name="nobody"))
    }
    assert len(told) == 1


# -- sessions and what staff do for each other -------------------------------------------------------
def act(client, action, *users):
    data = {"action": action, "_selected_action": [user.pk for user in users]}
    return client.post(reverse("admin:auth_user_changelist"), data)


def test_sessions_end_two_hours_after_the_last_click(client, anna):
    with time_machine.travel("2026-11-23 08:00", tick=False) as clock:
        client.force_login(anna)
        for _ in range(3):
            clock.shift(90 * 60)
            assert client.get(HOME).status_code == 200
        clock.shift(121 * 60)
        assert client.get(HOME).status_code == 302


def test_somebody_can_be_logged_out_everywhere(client, anna):
    ben, his = User.objects.create_superuser("ben", password="x"), Client()
    his.force_login(ben)
    client.force_login(anna)
    act(client, "end_sessions", ben)
    assert his.get(HOME).status_code == 302
    assert client.get(HOME).status_code == 200
    assert "sessions" in LogEntry.objects.get(object_id=ben.pk).get_change_message()


def test_a_superuser_helps_whoever_lost_the_phone(client, anna):
    ben = User.objects.create_superuser("ben", password="x")
    enrol(ben)
    client.force_login(anna)
    act(client, "reset_second_factor", ben)
    assert not factors.has_one(ben)
    assert "taken away" in LogEntry.objects.get(object_id=ben.pk).get_change_message()


def test_the_trail_is_read_only_and_cheap(client, anna, django_assert_max_num_queries):
    client.force_login(anna)
    for number in range(30):
        LogEntry.objects.log_actions(anna.pk, User.objects.filter(pk=anna.pk), 2, f"change {number}")
    address = reverse("admin:admin_logentry_changelist")
    with django_assert_max_num_queries(12):
        assert b"change 29" in client.get(address).content
    entry = LogEntry.objects.first()
    assert (
        client.post(reverse("admin:admin_logentry_delete", args=[entry.pk]), {"post": "yes"}).status_code
        == 403
    )


# -- guesses are counted before they are checked -----------------------------------------------------
def test_of_many_parallel_guesses_no_more_are_checked_than_the_limit(anna, rf):
    """Each has taken its place before any password is compared."""
    requests = [rf.post(LOGIN, REMOTE_ADDR="203.0.113.7") for _ in range(24)]
    with ThreadPoolExecutor(8) as pool:
        allowed = list(pool.map(lambda request: limits.claim(request, "anna"), requests))
    assert sum(allowed) <= limits.PER_ACCOUNT


def test_one_address_may_fail_thirty_times_over_all_accounts(rf):
    request = rf.post(LOGIN, REMOTE_ADDR="203.0.113.8")
    allowed = [limits.claim(request, f"name{number}") for number in range(40)]
    assert sum(allowed) == limits.PER_ADDRESS == 30


def test_the_networks_of_one_ipv6_site_share_a_limit(rf):
    allowed = [
        limits.claim(rf.post(LOGIN, REMOTE_ADDR=f"2001:db8:1:{number:x}::1"), f"name{number}")
        for number in range(100)
    ]
    assert sum(allowed) == limits.PER_SITE


def test_a_login_gives_the_guess_back(rf):
    request = rf.post(LOGIN, REMOTE_ADDR="203.0.113.9")
    for _ in range(3 * limits.PER_ADDRESS):
        assert limits.claim(request, "anna")
        limits.forget(request, "anna")


def test_what_this_process_remembers_is_bounded(rf, monkeypatch):
    monkeypatch.setattr(limits, "MOST_KEPT", 50)
    for number in range(300):
        limits.claim(rf.post(LOGIN, REMOTE_ADDR=f"198.51.{number // 200}.{number % 200}"), f"name{number}")
    assert len(limits._own) <= 52


@pytest.mark.parametrize(
    ("lang", "said"), [("ru", "Введи старый пароль"), ("es", "Escribe tu contraseña actual")]
)
def test_the_admin_speaks_to_staff_as_the_site_does(admin_client, lang, said):
    """Our catalogues come before Django's, which are formal."""
    html = admin_client.get("/admin/password_change/", headers={"accept-language": lang}).content.decode()
    assert said in html
    assert "пожалуйста" not in html
