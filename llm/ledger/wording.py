"""How an amount of money and a tier are written, wherever a person reads them. Machines get plain decimals."""

from decimal import Decimal


def usd_word(amount: Decimal | None, places: int = 4) -> str:
    """USD: `$0.0012`; `$?` when unknown, which is not zero."""
    return "$?" if amount is None else f"${amount:,.{places}f}"


def tier_word(tier: Decimal | None, none: str = "") -> str:
    """`1`, `1.5`; `none` where there is no tier, as when nobody answered."""
    return none if tier is None else f"{tier.normalize():f}"
