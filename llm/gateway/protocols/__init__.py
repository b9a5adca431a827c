"""One module per protocol, or a few: a body to an `Ask`, and a `Reply` to the protocol's answer or events.

All of them are translations of the same call: nothing here asks the chain, and the chain knows none of them.
"""
