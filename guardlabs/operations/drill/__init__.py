"""A drill: real gunicorn workers on a scratch database, and simulated providers that fail at random, by a seed.

`weather` is what every process of the drill reads (the clock, the disk, the cache), `node` the site under it,
`storm` what goes wrong with providers, `visitors` who comes, `books` what must hold, `run` the order of events.
"""
