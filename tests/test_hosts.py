"""Which host a key is sent to, and which addresses the chain connects to at all."""

import re
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.urls import reverse

from guardlabs.staff.roles import make_groups
from llm import hosts, loop, secrets
from llm.adapters import adapter_for
from llm.adapters.base import Request, Timing
from llm.adapters.gemini import config as gemini_config
from llm.chain import ChainExhausted, complete
from llm.configuration import credentials, fields, presets, snapshot
from llm.configuration import file as config
from llm.configuration.errors import ConfigError, FieldError
from llm.failures.kinds import Failure
from llm.models import Credential, Model, Provider
from tests.adapter_setup import drive
from tests.test_llm_admin import provider_form

pytestmark = pytest.mark.django_db
STORED = "gsk_stored_by_somebody_else"
FROM_ENVIRONMENT = "gsk_of_the_environment"


class Upstream:
    """A host that writes down every header that it is sent."""

    def __init__(self, *, host="127.0.0.1", location=""):
        self.seen: list[str] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                upstream.seen.append(f"{self.path} {dict(self.headers)}")
                self.send_response(307 if location else 503)
                if location:
                    self.send_header("Location", location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer((host, 0), Handler)
        self.url = f"http://{host}:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def evil():
    upstream = Upstream()
    yield upstream
    upstream.close()


@pytest.fixture
def ops(client):
    make_groups(Group, Permission)
    user = User.objects.create_user("ops", is_staff=True)
    user.groups.add(Group.objects.get(name="ops"))
    client.force_login(user)
    return client


@pytest.fixture
def groq(monkeypatch):
    """The preset, with a key of the environment and one that somebody typed into the admin."""
    monkeypatch.setenv("GROQ_API_KEY", FROM_ENVIRONMENT)
    presets.install()
    row = Provider.objects.get(slug="groq")
    typed = Credential.objects.create(provider=row, label="typed")
    credentials.replace_key(typed, STORED, by="anna")
    return row


def post(client, row, **changes):
    address = reverse("admin:llm_provider_change", args=[row.pk])
    response = client.post(address, provider_form(row, free="on", **changes))
    row.refresh_from_db()
    return response


def keys_of(slug):
    return {key.label: key.key for one in snapshot.providers() if one.slug == slug for key in one.keys}


def everything_is_asked(client, row):
    """Whatever sends a key: a call, the chain page's button, the daily check."""
    with pytest.raises(ChainExhausted):
        complete(user="Hi", providers=[row.slug], deadline_s=30)
    key, model = row.credentials.first(), row.models.first()
    client.post(reverse("admin:llm_chain_act"), {"do": f"test|{row.slug}|{key.label}||{model.name}"})


# -- a key belongs to a host -------------------------------------------------------------------------


def test_a_provider_that_moves_to_another_host_takes_no_key_with_it(ops, groq, evil):
    assert set(keys_of("groq").values()) == {FROM_ENVIRONMENT, STORED}
    assert post(ops, groq, base_url=evil.url).status_code == 302
    assert groq.base_url == evil.url
    assert set(keys_of("groq").values()) == {""}
    everything_is_asked(ops, groq)
    assert evil.seen == []
    page = ops.get(reverse("admin:llm_provider_change", args=[groq.pk])).content.decode()
    assert f"entered for https://api.groq.com, so it is not sent to {evil.url}: enter it again" in page


@pytest.mark.parametrize(
    "base_url",
    [
        "https://api.groq.com.evil.example", "https://api.groq.com:8443", "http://api.groq.com", "https://evil.example",
        "https://api.groq.com.", "https://xn--api-groq.com", "https://evil.example/api.groq.com",
    ],
)  # fmt: skip
def test_any_other_host_port_or_scheme_counts(ops, groq, base_url):
    assert post(ops, groq, base_url=base_url).status_code == 302
    assert set(keys_of("groq").values()) == {""}


@pytest.mark.parametrize(
    "base_url", ["https://api.groq.com/", "https://API.groq.com", "https://api.groq.com:443/x"]
)
def test_another_spelling_or_path_of_the_same_host_keeps_the_keys(ops, groq, base_url):
    assert post(ops, groq, base_url=base_url).status_code == 302
    assert set(keys_of("groq").values()) == {FROM_ENVIRONMENT, STORED}


def test_another_kind_of_provider_is_another_host(ops, groq):
    assert post(ops, groq, kind="openai").status_code == 302
    assert set(keys_of("groq").values()) == {""}


def test_keys_work_again_where_they_were_entered_for(ops, groq, evil):
    before = groq.base_url
    post(ops, groq, base_url=evil.url)
    post(ops, groq, base_url=before)
    assert set(keys_of("groq").values()) == {FROM_ENVIRONMENT, STORED}


def test_a_key_that_is_entered_again_is_sent_to_the_new_host_and_no_other_is(ops, groq, evil):
    typed = groq.credentials.get(label="typed")
    place = list(groq.credentials.order_by("position", "id")).index(typed)
    post(ops, groq, base_url=evil.url, **{f"credentials-{place}-new_key": "gsk_for_the_new_host"})
    assert sorted(keys_of("groq").values()) == ["", "gsk_for_the_new_host"]
    everything_is_asked(ops, groq)
    assert evil.seen
    assert all("gsk_for_the_new_host" in seen for seen in evil.seen)


def test_no_start_arms_the_keys_of_the_environment_for_a_host_of_the_admin(ops, groq, evil, monkeypatch):
    post(ops, groq, base_url=evil.url)
    monkeypatch.setenv("GROQ_API_KEY_1", "gsk_a_second_one")
    monkeypatch.setenv("GROQ_API_KEY_2", "gsk_a_third_one")
    presets.install()
    assert len(keys_of("groq")) == 4
    assert set(keys_of("groq").values()) == {""}


def test_no_reload_of_a_file_arms_its_keys_for_a_host_of_the_admin(ops, evil):
    text = '[[provider]]\nslug = "mine"\nkind = "openai"\n[[provider.key]]\nlabel = "k"\nsecret = "%s"\n'
    config.load(text % "sk-first")
    row = Provider.objects.get(slug="mine")
    post(ops, row, base_url=evil.url)
    config.load(text % "sk-first")
    assert keys_of("mine") == {"k": ""}
    summary = config.load(text % "sk-second")
    assert keys_of("mine") == {"k": ""}
    assert f"is not sent to {evil.url}: enter it again" in str(summary)


def test_a_file_that_names_another_host_takes_references_along_and_keys_that_it_names(groq, evil):
    groq.credentials.filter(label="groq").update(label="groq1")
    config.load(f'[[provider]]\nslug = "groq"\nbase_url = "{evil.url}"')
    assert keys_of("groq") == {"groq1": FROM_ENVIRONMENT, "typed": ""}
    config.load(
        f'[[provider]]\nslug = "groq"\nbase_url = "{evil.url}"\n[[provider.key]]\nlabel = "typed"\nsecret = "{STORED}"'
    )
    assert keys_of("groq") == {"groq1": FROM_ENVIRONMENT, "typed": STORED}


def test_a_moved_key_says_so_and_shows_nothing_of_itself(groq):
    Provider.objects.filter(pk=groq.pk).update(base_url="https://evil.example")
    row = Credential.objects.get(label="typed")
    with pytest.raises(secrets.SecretError, match=r"entered for https://api\.groq\.com") as caught:
        row.key()
    assert STORED not in str(caught.value)


def test_a_location_cannot_become_the_host():
    for address in ("https://{location}", "http://{location}:8000/x", "https://x-{location}/"):
        with pytest.raises(FieldError):
            fields.base_url(address)
    assert fields.base_url("https://{location}-ai.example.org") == "https://{location}-ai.example.org"


def test_parameters_of_a_model_say_nothing_of_where_requests_go():
    with pytest.raises(FieldError, match="http_options"):
        fields.params({"http_options": {"base_url": "https://evil.example"}})
    assert gemini_config({"http_options": {"base_url": "https://evil.example"}}) == {}


# -- files with keys -------------------------------------------------------------------------------


def test_files_with_keys_lie_below_the_directory_for_them(settings, tmp_path):
    inside, outside = tmp_path / "secrets", tmp_path / "other"
    inside.mkdir(), outside.mkdir()
    (inside / "key").write_text("sk-inside")
    (outside / "key").write_text("sk-outside")
    (inside / "link").symlink_to(outside / "key")
    settings.LLM_SECRETS_DIR = str(inside)
    assert secrets.reveal(f"file:{inside}/key") == "sk-inside"
    for path in (
        f"{outside}/key",
        f"{inside}/link",
        f"{inside}/../other/key",
        "/etc/passwd",
        f"{inside}-x/key",
    ):
        text = f'[[provider]]\nslug = "p"\nkind = "openai"\n[[provider.key]]\nlabel = "k"\nsecret = "file:{path}"'
        with pytest.raises(ConfigError, match="must name a file below LLM_SECRETS_DIR"):
            config.load(text)
        with pytest.raises(secrets.SecretError, match="LLM_SECRETS_DIR"):
            secrets.reveal(f"file:{path}")
    settings.LLM_SECRETS_DIR = ""
    assert secrets.reveal(f"file:{outside}/key") == "sk-outside"


# -- private addresses -------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
    "100.100.100.200", "168.63.129.16", "0.0.0.0", "255.255.255.255", "224.0.0.1", "::1", "::", "fe80::1", "fc00::1",
    "fd00:ec2::254", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:0:0:0:0:0:80ff:fefe", "ff02::1", "fe80::1%lo",
    "192.0.2.1", "198.18.0.1",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "104.18.2.3", "2606:4700::6812:203", "64:ff9b::808:808", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_no_private_address_is_connected_to_unless_somebody_says_so(settings, address):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    assert not hosts.may_connect("api.example.org", 443, address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_need_no_permission(settings, address):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    assert hosts.may_connect("api.example.org", 443, address)


@pytest.mark.parametrize(
    ("said", "host", "address", "allowed"),
    [
        (["127.0.0.1"], "localhost", "127.0.0.1", True),
        (["10.0.0.0/8"], "ollama", "10.1.2.3", True),
        (["10.0.0.0/8"], "ollama", "192.168.1.1", False),
        (["Ollama"], "ollama", "10.1.2.3", True),
        (["ollama"], "other", "10.1.2.3", False),
        (["ollama"], "ollama", "169.254.169.254", False),  # a name never leads to metadata
        (["on"], "x", "192.168.1.1", True),
        (["on"], "x", "169.254.169.254", False),
        (["0.0.0.0/0"], "x", "169.254.169.254", False),  # holds it, and does not mean it
        (["0.0.0.0/0"], "x", "10.1.2.3", True),
        (["168.0.0.0/6"], "x", "169.254.169.254", False),
        (["169.254.169.0/24"], "x", "169.254.169.254", True),
        (["fd00::/8"], "x", "fd00:ec2::254", False),
        (["fd00::/8"], "x", "fd12::1", True),
        (["169.254.169.254"], "x", "169.254.169.254", True),
        (["::1"], "x", "::1", True),
        ("localhost, 10.0.0.5", "x", "10.0.0.5", True),
    ],
)
def test_the_setting_names_hosts_addresses_and_networks(settings, said, host, address, allowed):
    settings.LLM_ALLOW_PRIVATE_HOSTS = said
    assert hosts.may_connect(host, 80, address) is allowed


def adapters(url, key="sk-secret"):
    return [adapter_for(kind=kind, base_url=url, key=key) for kind in ("groq", "openai")]


def ask(adapter):
    end = time.monotonic() + 30
    request = Request(model="m", messages=[{"role": "user", "content": "Hi"}], max_tokens=5)
    with pytest.raises(Failure) as caught:
        drive(adapter, request, Timing(first_token=end, end=end))
    with pytest.raises(Failure):
        loop.run(adapter.list_models(end))
    return caught.value


@pytest.mark.parametrize(
    "spelling", ["127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]"]
)
def test_loopback_in_any_spelling_gets_no_request(settings, spelling):
    upstream = Upstream()
    try:
        settings.LLM_ALLOW_PRIVATE_HOSTS = []
        for adapter in adapters(f"http://{spelling}:{upstream.server.server_port}"):
            assert "LLM_ALLOW_PRIVATE_HOSTS" in ask(adapter).detail
        assert upstream.seen == []
    finally:
        upstream.close()


def test_a_name_is_judged_by_what_it_resolves_to_when_it_is_connected_to(settings, monkeypatch, evil):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    asked = []

    def resolve(host, port, *args):
        asked.append(host)
        address = "8.8.8.8" if len(asked) == 1 else "127.0.0.1"  # rebound after the first look
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert not hosts.is_refused(f"http://rebinding.example:{evil.server.server_port}")
    for adapter in adapters(f"http://rebinding.example:{evil.server.server_port}"):
        asked[:] = ["form"]
        assert "LLM_ALLOW_PRIVATE_HOSTS" in ask(adapter).detail
    assert evil.seen == []


def test_no_redirect_is_followed(evil):
    first = Upstream(location=f"{evil.url}/elsewhere")
    try:
        for adapter in adapters(first.url):
            ask(adapter)
        assert first.seen
        assert evil.seen == []
    finally:
        first.close()


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:11434/v1", "http://localhost:11434", "http://[::1]/", "http://127.1/", "http://2130706433/",
        "http://169.254.169.254/latest", "http://10.0.0.1", "http://[fd00:ec2::254]/", "http://0/",
    ],
)  # fmt: skip
def test_the_admin_refuses_private_addresses_in_words(settings, ops, groq, address):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    response = post(ops, groq, base_url=address)
    assert response.status_code == 200
    assert "LLM_ALLOW_PRIVATE_HOSTS" in response.content.decode()
    assert groq.base_url != address


def test_a_providers_file_vouches_for_its_private_host_and_for_no_metadata(settings, ops, sim):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    text = '[[provider]]\nslug = "own"\nkind = "openai"\nfree = true\nbase_url = "%s"\n'
    inner = '[[provider.model]]\nid = "m"\n[[provider.key]]\nlabel = "own"\nsecret = "key-of-own"'
    config.load(text % f"{sim.url}/own/v1" + inner)
    assert complete(user="Hi", providers=["own"]).provider == "own"
    row = Provider.objects.get(slug="own")
    assert post(ops, row, base_url=row.base_url).status_code == 302  # what the file said stays
    config.load(text % "http://169.254.169.254")
    snapshot.forget()
    snapshot.read()
    assert not hosts.may_connect("169.254.169.254", 80, "169.254.169.254")


def test_what_code_or_the_admin_puts_at_a_private_address_is_not_asked(settings, sim):
    settings.LLM_ALLOW_PRIVATE_HOSTS = []
    row = Provider.objects.create(
        slug="own", kind="openai", name="Own", free=True, keyless=True, base_url=f"{sim.url}/own/v1"
    )
    Model.objects.create(provider=row, name="m")
    with pytest.raises(ChainExhausted) as caught:
        complete(user="Hi", providers=["own"], deadline_s=30)
    assert re.search("LLM_ALLOW_PRIVATE_HOSTS", str([a["detail"] for a in caught.value.attempts]))
