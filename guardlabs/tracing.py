"""Traces of the chain to a collector, if OTEL_EXPORTER_OTLP_ENDPOINT names one; else nothing of it is imported.

Addresses, headers and sampling are OpenTelemetry's own variables (OTEL_EXPORTER_OTLP_HEADERS, OTEL_TRACES_SAMPLER, …).
"""

import os
from typing import Any


def start(*, content: bool = False, exporter: Any = None) -> Any:
    """Sends spans in batches from a thread of its own; returns the provider, for tests. `content`: prompts, too."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    import llm
    from llm.calls import tracing

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {"service.name": "guardlabs"}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(exporter or OTLPSpanExporter()))
    tracing.install(provider.get_tracer("guardlabs.llm", llm.__version__), content=content)
    return provider
