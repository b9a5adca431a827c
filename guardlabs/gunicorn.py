"""gunicorn settings: `gunicorn -c python:guardlabs.gunicorn guardlabs.wsgi`. Sizes come from the environment."""

from typing import Any

from gunicorn.glogging import Logger

from guardlabs import env
from guardlabs.logs import redact

bind = f"{env.text('HOST', '127.0.0.1')}:{env.integer('PORT', 8000)}"
worker_class = "gthread"
workers = env.integer("WEB_CONCURRENCY", 2)
threads = env.integer("WEB_THREADS", 16)
timeout = 120  # above the report deadline, which the API waits for
graceful_timeout = 60
max_requests = 10_000
max_requests_jitter = 1_000
control_socket_disable = True  # signals are enough, and a read-only root has no place for it
accesslog = "-"
access_log_format = '%(t)s "%(r)s" %(s)s %(b)s %(M)sms'  # no client address, no referrer


class RedactingLogger(Logger):
    """Access log without result tokens."""

    def atoms(self, resp: Any, req: Any, environ: Any, request_time: Any) -> Any:
        atoms = super().atoms(resp, req, environ, request_time)
        return {key: redact(value) if isinstance(value, str) else value for key, value in atoms.items()}


logger_class = RedactingLogger


def post_worker_init(worker: Any) -> None:
    """Loads the SDKs of the free tiers before the first visitor waits for them (0.7 s), and starts the chores."""
    import llm.adapters.groq  # noqa: F401
    from guardlabs import chores

    if env.boolean("CHORES", default=True):
        chores.start()
