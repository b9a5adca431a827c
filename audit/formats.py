"""Money, dates and numbers as each language writes them.

Plain spaces, not non-breaking ones: the same text goes into Markdown, JSON and e-mail.
"""

from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime, format_skeleton
from babel.numbers import format_compact_currency, format_compact_decimal, format_currency, format_decimal
from django.utils.translation import get_language, gettext, ngettext, pgettext_lazy, to_locale

BAND_WORDS = {
    "exposed": pgettext_lazy("band", "Exposed"),
    "fragile": pgettext_lazy("band", "Fragile"),
    "fair": pgettext_lazy("band", "Fair"),
    "solid": pgettext_lazy("band", "Solid"),
}


def money(usd: int, lang: str | None = None) -> str:
    """US dollars, short: `$68M`, `68 млн $`, `68 millones de USD`. Without `lang`, the active language."""
    locale = _locale(lang)
    digits = 2 if usd >= 1_000_000_000 else 1 if usd >= 1_000_000 else 0
    if locale.language == "es" and usd >= 1_000_000_000:
        # "11 366 millones": nobody has to know whether a Spanish "billón" is ours.
        return f"{usd / 1_000_000:,.0f} millones de USD".replace(",", " " if usd >= 10_000_000_000 else "")
    if locale.language == "es":
        # Babel's short Spanish ("68 MUS$") is bookkeeping; people write it out.
        amount = _plain(
            format_compact_decimal(usd, format_type="long", locale=locale, fraction_digits=digits)
        )
        return f"{amount} de USD" if amount.endswith(("millón", "millones")) else f"{amount} USD"
    return _plain(format_compact_currency(usd, "USD", locale=locale, fraction_digits=digits))


def price(usd: int, lang: str | None = None) -> str:
    """`money` for a page, where figure and currency stay on one line."""
    return money(usd, lang).replace(" ", "\u00a0")


def scale(usd: int, lang: str | None = None) -> str:
    """US dollars for the scale of a drawing, where there is no room: `$100M`, `100 млн`, `100 M`."""
    locale = _locale(lang)
    if locale.language != "en":
        return _plain(format_compact_decimal(usd, locale=locale))
    return money(usd, lang)


def day(text: str, lang: str | None = None) -> str:
    """A date as exact as it is known: `2024`, `May 2024`, `May 3, 2024`. What is no date comes back as it is."""
    locale = _locale(lang)
    try:
        match [int(part) for part in text.split("-")]:
            case [year]:
                return str(year)
            case [year, month]:
                formatted = format_skeleton("yMMMM", date(year, month, 1), locale=locale)
            case [year, month, number]:
                formatted = format_date(date(year, month, number), "long", locale=locale)
            case _:
                return text
    except ValueError:
        return text
    return _plain(formatted).removesuffix(" г.")


def month_and_day(moment: date, lang: str | None = None) -> str:
    """A day of this year: `November 24`, `24 ноября`, `24 de noviembre`."""
    return _plain(format_skeleton("MMMMd", moment, locale=_locale(lang)))


def moment(when: datetime | None, zone: tzinfo = UTC, lang: str | None = None) -> str:
    """A time to the minute with its zone: `November 28, 2026, 2:05 PM GMT+01:00`. Empty for None."""
    if when is None:
        return ""
    locale = _locale(lang)
    local = when.astimezone(zone)
    pattern = f"{locale.time_formats['short'].pattern} ZZZZ"
    clock = format_datetime(local, pattern, tzinfo=zone, locale=locale)
    return f"{day(local.date().isoformat(), lang)}, {_plain(clock)}".replace("GMT+00:00", "UTC")


def utc(when: datetime | None, lang: str | None = None) -> str:
    """A time to the minute in UTC, without naming the zone: `November 28, 2026, 13:58`. Empty for None."""
    if when is None:
        return ""
    local = when.astimezone(UTC)
    return f"{day(local.date().isoformat(), lang)}, {local:%H:%M}"


def number(value: object, lang: str | None = None) -> str:
    """A number with at most one decimal: `14`, `8.4`, `8,4`."""
    return _plain(format_decimal(str(value), format="#,##0.#", locale=_locale(lang)))


def _locale(lang: str | None) -> Locale:
    try:
        return Locale.parse(to_locale(lang or get_language() or "en"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _plain(text: str) -> str:
    return text.replace("\xa0", " ").replace("\u202f", " ")


def usd(amount: Decimal, lang: str | None = None) -> str:
    """A small sum to the sixth decimal, without zeros at its end beyond cents: `$0.00`, `$0.000123`, `0,000123 $`."""
    text = _plain(
        format_currency(amount, "USD", format=None, locale=_locale(lang), decimal_quantization=False)
    )
    return text.replace("US$", "USD")  # Spanish: as everywhere else on the site


def duration(minutes: int) -> str:
    """`45 min`, `2 h`, `1 h 30 min`; empty for no estimate."""
    if minutes <= 0:
        return ""
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return gettext("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    if hours:
        return gettext("%(hours)d h") % {"hours": hours}
    return gettext("%(minutes)d min") % {"minutes": rest}


def points(amount: Decimal) -> str:
    """`1 point`, `14 points`, `8.4 points`; fractions take the form that follows 2 ("8,4 балла")."""
    count = int(amount) if amount == int(amount) else 2
    return ngettext("%(points)s point", "%(points)s points", count) % {"points": number(amount)}


def kept_of(kept: Decimal, most: Decimal) -> str:
    """`24 of 38`; where nothing applied, that it was not assessed."""
    if not most:
        return gettext("not assessed")
    return gettext("%(kept)s of %(max)s") % {"kept": number(kept), "max": number(most)}


def signed(amount: int | Decimal) -> str:
    """A difference: `+8`, `−2.5` (with a true minus sign), `0`."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    return sign + number(abs(amount))
