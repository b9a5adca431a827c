"""Figures that a report has and its facts have not: sums of money, amounts of coins, dates.

They are no reason to reject a report, since a price of a device may well be true, but staff should see them.
"""

import re
from collections.abc import Iterator

MOST_FLAGS = 12
FLAG_CHARS = 60
TOLERANCE = 0.01  # "$1.35M" and "$1.4M" are both among the facts, so rounding needs no more

# At most 10**18 in groups of three: rows of figures in a table must not be tried as one number at each of them.
_NUMBER = r"\d{1,3}(?:[ \u00a0\u202f.,]\d{3}){1,5}(?:[.,]\d{1,2})?|\d++(?:[.,]\d++)?"
_SCALE = (
    r"k|m|mm|bn|b|thousand|million|billion|тыс|тысяч\w*|млн|миллион\w*|млрд|миллиард\w*|mil millones|mil"
    r"|millón|millones|mill"
)
_UNIT = r"US\$|\$|USD[TC]?|dollars?|€|euros?|EUR|доллар\w*|евро|рубл\w*|₽|dólares|pesos"
_COIN = r"W?BTC|W?ETH|XRP|LTC|SOL|BNB|TRX|DOGE|ADA|TON|bitcoins?|ether|биткоин\w*"
_SEP = r"[ \u00a0\u202f-]?"
SUM = re.compile(
    rf"(?P<before>US\$|\$|€|£)\s?(?P<a>{_NUMBER}){_SEP}(?:(?P<sa>{_SCALE})(?![\w]))?"
    rf"|(?<![\w$€.,])(?P<b>{_NUMBER}){_SEP}(?:(?P<sb>{_SCALE})\.?{_SEP}(?:de )?)?(?P<after>{_UNIT}"
    rf"|{_COIN})(?!\w)",
    re.IGNORECASE,
)
FACTORS = (
    (("mil millones", "bn", "b", "billion", "млрд", "миллиард"), 1e9),
    (("mm", "m", "million", "млн", "миллион", "millón", "millones", "mill"), 1e6),
    (("k", "thousand", "тыс", "mil"), 1e3),
)
_MONTHS = (
    "january enero январ", "february febrero феврал", "march marzo март", "april abril апрел", "may mayo ма",
    "june junio июн", "july julio июл", "august agosto август", "september septiembre сентябр",
    "october octubre октябр", "november noviembre ноябр", "december diciembre декабр",
)  # fmt: skip
MONTHS = {name: number for number, names in enumerate(_MONTHS, start=1) for name in names.split()}
_MONTH = (
    r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
    r"|(?:ener|febrer|marz|abril|may|juni|juli|agost|sept?iembr|octubr|noviembr|diciembr)[oe]?"
    r"|(?:январ|феврал|март|апрел|ма|июн|июл|август|сентябр|октябр|ноябр|декабр)[а-я]{0,3}"
)
DATE = re.compile(
    rf"(?:(?P<d1>\d{{1,2}})(?:-?го|st|nd|rd|th)?(?: of"
    rf"| de)? )?\b(?P<m>{_MONTH})\.?(?: (?P<d2>\d{{1,2}})(?:st|nd|rd|th)?,?)?"
    r"(?:,? (?:de |del |of )?(?P<y>(?:19|20)\d\d))(?!\d)"
    r"|(?<![\w.$€,-])(?P<year>(?:19|20)\d\d)(?![\w$€%-]|[.,]\d)",
    re.IGNORECASE,
)


def unfounded(text: str, facts: str) -> list[str]:
    """Figures of `text` that `facts` has not, as short flags such as `money:$5M` or `date:May 2019`."""
    sums, dates = list(_sums(facts)), set(_dates(facts))
    days = {date for date, _ in dates}
    flags = [
        f"money:{words}"
        for value, unit, words in _sums(text)
        if not any(unit == other and abs(value - known) <= TOLERANCE * known for known, other, _ in sums)
    ]
    flags += [f"date:{words}" for date, words in _dates(text) if not any(_within(date, day) for day in days)]
    return [flag[:FLAG_CHARS] for flag in dict.fromkeys(flags)][:MOST_FLAGS]


def _sums(text: str) -> Iterator[tuple[float, str, str]]:
    """Value, unit ("$" for any money, else the coin) and wording of each sum."""
    for match in SUM.finditer(text):
        value = _value(match["a"] or match["b"]) * _factor(match["sa"] or match["sb"] or "")
        unit = (match["after"] or "").upper()
        coin = re.fullmatch(_COIN, unit, re.IGNORECASE)
        yield value, unit.removeprefix("W") if coin else "$", " ".join(match[0].split())


def _value(number: str) -> float:
    """`1,155`, `1.155` and `1 155` are thousands; a last group of one or two digits is a fraction."""
    digits = re.sub(r"[ \u00a0\u202f]", "", number)
    whole, mark, rest = re.fullmatch(r"(.*?)(?:([.,])(\d+))?", digits).groups()  # type: ignore[union-attr]
    if re.search(r"[.,]", whole or "") or (mark and len(rest) == 3 and digits[0] != "0"):
        last = re.fullmatch(r"(.*)[.,](\d{1,2})", digits)
        whole, rest = (last[1], last[2]) if last else (digits, "")
        return float(f"{re.sub(r'[.,]', '', whole)}.{rest or 0}")
    return float(f"{whole or 0}.{rest or 0}")


def _factor(scale: str) -> float:
    scale = scale.lower()
    for names, factor in FACTORS:
        if scale in names or (len(scale) > 4 and scale.startswith(tuple(n for n in names if len(n) > 4))):
            return factor
    return 1e3 if scale.startswith("тыс") else 1.0


def _dates(text: str) -> Iterator[tuple[tuple[int, int, int], str]]:
    """Year, month and day (0 where it is not said) and wording of each date."""
    for match in DATE.finditer(text):
        if match["year"]:
            yield (int(match["year"]), 0, 0), match[0]
        else:
            month = _month(match["m"].lower())
            yield (int(match["y"]), month, int(match["d1"] or match["d2"] or 0)), " ".join(match[0].split())


def _month(word: str) -> int:
    starts = (number for name, number in MONTHS.items() if word.startswith(name[:3]) or name.startswith(word))
    return next(starts, 5 if word.startswith("ма") else 0)


def _within(date: tuple[int, int, int], known: tuple[int, int, int]) -> bool:
    """Whether a date is the known one, or the same less exactly; the other way round it would be invented."""
    return all(part in {0, of} for part, of in zip(date, known, strict=True))
