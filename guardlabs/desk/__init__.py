"""The admin's home: what happened today and in 30 days, what is left, what it cost, and what needs a person."""
