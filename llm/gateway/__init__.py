"""The chain over HTTP: `include("llm.gateway.urls")` under any prefix, such as `v1/`.

`protocols` read what was asked into an `Ask` and word what came of it, `catalogue` knows what may be asked of,
`views` asks the chain, `serving` is HTTP itself.
"""
