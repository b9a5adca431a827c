"""A robot that opens everything it finds, in every language, makes no call to a language model and no report."""

import re
from urllib.parse import urldefrag, urljoin, urlsplit

import pytest

from audit.models import Report
from audit.scans import service as scans
from llm.models import Call
from tests.factories import load_bank, make_scan
from tests.fake_chain import FakeChain

ADDRESS = re.compile(r"""(?:href|src|action|data-[a-z]+)=["']([^"']+)["']""")
HOST = "http://testserver"


@pytest.mark.django_db
@pytest.mark.parametrize("langs", [["ru"], pytest.param(["en", "ru", "es"], marks=pytest.mark.exhaustive)])
def test_a_crawler_that_follows_every_link_makes_no_call(client, monkeypatch, langs):
    load_bank()
    fake = FakeChain(monkeypatch)
    tokens = {lang: scans.scan_token(make_scan(lang=lang)) for lang in langs}
    waiting = [f"{HOST}/", *(f"{HOST}/{lang}/r/{token}/" for lang, token in tokens.items())]
    seen = set(waiting)
    while waiting:
        address = waiting.pop()
        client.head(address)
        response = client.get(address, headers={"accept": "*/*"})
        assert response.status_code < 500, address
        if response.status_code in {301, 302, 303}:
            found = [response["Location"]]
        elif not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            found = ADDRESS.findall(response.content.decode())
        else:
            continue
        for each in found:
            full = urldefrag(urljoin(address, each.replace("&amp;", "&"))).url
            other = urlsplit(full).path[1:3] in {"en", "ru", "es"} - set(langs)
            if urlsplit(full).netloc == "testserver" and full not in seen and not other:
                seen.add(full)
                waiting.append(full)
    for lang, token in tokens.items():
        for part in ("", "report", "report?fragment=1", "events", "delete"):
            assert f"{HOST}/{lang}/r/{token}/{part}" in seen
    assert (fake.calls, Call.objects.count()) == ([], 0)
    assert set(Report.objects.values_list("status", flat=True)) == {Report.Status.PENDING}
