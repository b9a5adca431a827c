"""The chain over HTTP, in OpenAI's shape: `include("llm.gateway.urls")` under any prefix, such as `v1/`.

`request` reads what was asked, `catalogue` what may be asked of, `views` asks the chain, `answers` and `errors`
word what came of it.
"""
