"""How an answer is read, whatever its wire format: events, visible text, reasoning, tool calls, usage."""
