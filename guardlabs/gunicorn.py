"""gunicorn settings: `gunicorn -c python:guardlabs.gunicorn guardlabs.wsgi`. Sizes come from the environment."""

import subprocess
import sys
from typing import Any

from gunicorn.glogging import Logger

from guardlabs import env
from guardlabs.operations import logs
from guardlabs.web import correlation

bind = f"{env.text('HOST', '127.0.0.1')}:{env.integer('PORT', 8000, least=1, most=65_535)}"
worker_class = "guardlabs.worker.Worker"  # gthread, with an end to its patience
workers = env.integer("WEB_CONCURRENCY", 2, least=1, most=256)
threads = env.integer("WEB_THREADS", 16, least=1, most=1_000)
timeout = 120  # above the report deadline, which the API waits for
graceful_timeout = 60
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True  # signals are enough, and a read-only root has no place for it
accesslog = "-"
access_log_format = '"%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'  # no client address, no referrer, no query


class RedactingLogger(Logger):
    """gunicorn's own lines in the site's format: its access log, and its complaints about requests."""

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(logs.formatter(env.text("LOG_FORMAT", "line").lower()))


logger_class = RedactingLogger


def on_starting(server: Any) -> None:
    """Refuses to serve with wrong settings. In a process of its own, so that the workers load the code anew."""
    if subprocess.run([sys.executable, "-m", "guardlabs.start"], check=False).returncode:
        sys.exit(1)


def pre_request(worker: Any, request: Any) -> None:
    """The head of a request is read; whatever it turns out to be, the thread's last one is over."""
    correlation.forget()
    worker.head_is_read(request)


def post_worker_init(worker: Any) -> None:
    """Loads pages and the SDKs of the free tiers before the first visitor waits for them (1.5 s)."""
    from django.urls import get_resolver

    import llm.adapters.groq  # noqa: F401

    get_resolver().url_patterns  # noqa: B018  # which imports the views
