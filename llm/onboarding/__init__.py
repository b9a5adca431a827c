"""From nothing to the first answered call: where a key comes from, how it is pasted, and whether it works."""
