"""Money, dates and numbers as each language writes them."""

from decimal import Decimal

import pytest
from django.utils import translation

from audit import formats


@pytest.mark.parametrize(
    ("lang", "money", "small", "day", "month", "points"),
    [
        ("en", "$68M", "$484K", "May 3, 2024", "May 2024", "8.4"),
        ("ru", "68 млн $", "484 тыс. $", "3 мая 2024", "май 2024", "8,4"),
        ("es", "68 millones de USD", "484 mil USD", "3 de mayo de 2024", "mayo de 2024", "8,4"),
    ],
)
def test_money_and_dates_are_written_as_each_language_does(lang, money, small, day, month, points):
    with translation.override(lang):
        assert (formats.money(68_000_000), formats.money(484_123)) == (money, small)
        assert (formats.day("2024-05-03"), formats.day("2024-05"), formats.day("2024")) == (
            day,
            month,
            "2024",
        )
        assert (formats.number(Decimal("8.4")), formats.number(Decimal("14.0"))) == (points, "14")


@pytest.mark.parametrize(
    ("lang", "billions", "many", "mark"),
    [
        ("en", "$1.46B", "$11.37B", "$100M"),
        ("ru", "1,46 млрд $", "11,37 млрд $", "100 млн"),
        ("es", "1460 millones de USD", "11 366 millones de USD", "100 M"),
    ],
)
def test_billions_are_thousands_of_millions_in_spanish(lang, billions, many, mark):
    assert (formats.money(1_460_000_000, lang), formats.money(11_366_000_000, lang)) == (billions, many)
    assert formats.scale(100_000_000, lang) == mark


@pytest.mark.parametrize("text", ["", "soon", "2024-13", "2024-02-31", "2024-05-03-04"])
def test_what_is_no_date_is_left_alone(text):
    assert formats.day(text, "ru") == text
