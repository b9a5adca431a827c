"""gunicorn settings: `gunicorn -c python:guardlabs.gunicorn guardlabs.asgi`. Sizes come from the environment."""

import logging
import subprocess
import sys
from typing import Any

from gunicorn.glogging import Logger

from guardlabs import env
from guardlabs.operations import logs

bind = f"{env.host('HOST', '127.0.0.1')}:{env.integer('PORT', 8000, least=1, most=65_535)}"
worker_class = "guardlabs.serving.worker.Worker"  # gunicorn's ASGI worker, with an end to its patience
workers = env.integer("WEB_CONCURRENCY", 2, least=1, most=256)
worker_connections = 10_000  # of one worker; each waits for a call or a page without a thread
keepalive = 75  # above the minute for which proxies keep theirs
asgi_disconnect_grace_period = 0  # who leaves cancels what was being done for them
timeout = 60  # a loop that stands still for so long is dead
graceful_timeout = 60
max_requests = 200_000  # minutes of a busy gateway, weeks of a quiet site; whatever leaks is gone then
max_requests_jitter = 50_000
control_socket_disable = True  # signals are enough, and a read-only root has no place for it
accesslog = "-"
access_log_format = '"%(m)s %(U)s %(H)s" %(s)s %(b)s %(M)sms'  # no client address, no referrer, no query


class RedactingLogger(Logger):
    """gunicorn's own lines in the site's format: its access log, and its complaints about requests."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> Any:
        """What the format below names, and nothing that could identify anybody."""
        method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
        return {
            "m": method, "U": path, "H": environ["SERVER_PROTOCOL"], "s": resp.status,
            "b": resp.sent, "B": resp.sent, "r": f"{method} {path}",
            "M": request_time.seconds * 1000 + request_time.microseconds // 1000,
        }  # fmt: skip

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        """gunicorn's, without its look for who has called it, and with no atoms but ours: once a request."""
        if self.access_log_enabled and self.access_log.isEnabledFor(logging.INFO):
            atoms = self.atoms(resp, req, environ, request_time)
            self.access_log.handle(logs.Access(self.access_log.name, self._line, atoms))

    def setup(self, cfg: Any) -> None:
        super().setup(cfg)
        self._line = cfg.access_log_format
        for log in (self.error_log, self.access_log):
            for handler in log.handlers:
                handler.setFormatter(logs.formatter(env.text("LOG_FORMAT", "line").lower()))


logger_class = RedactingLogger


def on_starting(server: Any) -> None:
    """Refuses to serve with wrong settings. In a process of its own, so that the workers load the code anew."""
    if subprocess.run([sys.executable, "-m", "guardlabs.start"], check=False).returncode:
        sys.exit(1)


def post_worker_init(worker: Any) -> None:
    """Loads pages and the SDKs of the free tiers before the first visitor waits for them (1.5 s)."""
    from django.urls import get_resolver

    import llm.adapters.groq  # noqa: F401

    get_resolver().url_patterns  # noqa: B018  # which imports the views
