"""The product: a public self-audit of how somebody keeps crypto. Of llm it uses public names alone."""
