"""The site as it is served: gunicorn with two workers, its own database, simulated providers."""

import os
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path

from llm.simulator import Simulator
from llm.simulator import behaviours as b
from tests.test_two_servers import ROOT, serve

PROVIDER = """
[[provider]]
slug = "{slug}"
kind = "openai"
name = "{slug}"
base_url = "{url}/{slug}/v1"
tier = {tier}
free = {free}
first_byte_s = 5
timeout_s = 10
[[provider.model]]
id = "m"
{more}
[[provider.key]]
label = "{slug}"
secret = "key-of-{slug}"
"""
PAID = 'price_in = "0.30"\nprice_out = "1.20"'


def provider(sim, slug, *, tier=1, free=True):
    """One provider of a providers file, with the model `m`."""
    more = "" if free else PAID
    return PROVIDER.format(slug=slug, url=sim.url, tier=tier, free=str(free).lower(), more=more)


class Site:
    """A prepared site; `url` once it is served."""

    def __init__(self, directory: Path, sim: Simulator, **environment: str) -> None:
        self.sim = sim
        self.directory = directory
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "guardlabs.settings",
            "DATABASE_URL": f"sqlite:///{directory / 'site.sqlite3'}",
            "SITE_URL": "http://127.0.0.1",
            "ALLOWED_HOSTS": "127.0.0.1",
            "WEB_CONCURRENCY": "2",
            **environment,
        }
        self.url, self.pid = "", 0  # of the server's first process

    def manage(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        return done.stdout.strip()

    def prepare(self, providers: str) -> None:
        """Tables, cache and providers, in one process: each start costs a second."""
        file = self.directory / "providers.toml"
        file.write_text(providers)
        code = (
            "import django; django.setup(); from django.core.management import call_command as run;"
            f"run('migrate', verbosity=0); run('createcachetable'); run('providers', 'load', {str(file)!r})"
        )
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env=self.environment, check=True, capture_output=True
        )

    def add_client(self, name: str, *options: str) -> str:
        return self.manage("clients", "add", name, *options)

    def rows(self, sql: str) -> list[tuple]:
        """What the server's database holds."""
        with closing(sqlite3.connect(self.directory / "site.sqlite3", timeout=20)) as database:
            return database.execute(sql).fetchall()

    @contextmanager
    def serving(self):
        server, port = serve(self.environment)
        self.pid = server.pid
        self.url = f"http://127.0.0.1:{port}"
        try:
            yield self
        finally:
            server.terminate()
            server.wait(60)


def conformance_providers(sim: Simulator) -> str:
    """One provider for each thing that an SDK has to cope with, by its slug."""
    slugs = {
        "good": b.ok(),
        "tools": b.tool_call("weather", {"town": "Oslo"}),
        "slow": b.ok("word " * 2000, pace=0.02),
        "silent": b.hang(),
        "limited": b.http(429, headers={"retry-after": "77"}),
        "broken": b.midstream_death(after=3),
        "moody": b.ok('{"mood": "sideways"}'),
    }
    for slug, behaviour in slugs.items():
        sim.script(f"key-of-{slug}", behaviour)
    return "".join(provider(sim, slug, tier=n) for n, slug in enumerate(slugs, 1))
