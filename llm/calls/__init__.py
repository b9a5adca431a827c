"""What a call is: what it needs, where it may go, what it tells and returns, how that is traced. Data alone.

Imports configuration.
"""
