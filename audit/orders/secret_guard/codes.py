"""PINs and passwords: the name of one, and soon after it something that is one."""

import re

PIN = re.compile(
    r"\b(?:pin|pin[ -]?code|passcode|unlock code|2fa|otp|security code|пин\w{0,2}|пин-?код\w{0,2}|код\w{0,2}"
    r"(?: доступа| разблокировки)?|código(?: de acceso| pin)?)\b(?P<rest>.{0,60})",
    re.IGNORECASE | re.DOTALL,
)
DIGITS = re.compile(r"(?<![\w.,$€#-])\d(?:[ -]?\d){3,11}(?![\w%$€]|[.,]\d)")
SPARE = re.compile(  # "backup codes: 4f8a-91bc 77d2-0a1e"
    r"\b(?:(?:backup|recovery|scratch|reserve) codes?|(?:резервн|запасн)\w{2,3} код\w{0,3}"
    r"|códigos? de (?:respaldo|recuperación|reserva))\b(?P<rest>.{0,80})",
    re.IGNORECASE | re.DOTALL,
)
SPARE_CODE = re.compile(
    r"(?<![\w-])(?=[a-z-]{0,11}\d)[a-z0-9]{4,12}(?:-[a-z0-9]{4,8}){0,3}(?![\w-])", re.IGNORECASE
)
ONE_TIME = re.compile(  # what an app makes codes from: "2fa secret JBSW Y3DP EHPK 3PXP"
    r"\b(?:2fa|totp|otp|authenticator|аутентификатор\w{0,2}|autenticador)\b[^.!?\n]{0,40}?"
    r"\b(?P<secret>[a-z2-7]{4}(?: ?[a-z2-7]{4}){3,15})(?!\w)",
    re.IGNORECASE,
)
SPOKEN = re.compile(
    r"(?:\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ноль|один|два|три|четыре|пять|шесть|семь|восемь"
    r"|девять|cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve)\b[\s,-]{0,3}){4,12}",
    re.IGNORECASE,
)
PASSWORD = re.compile(
    r"\b(?:password|passwort|passphrase|pass|pwd|парол\w{1,3}|пассфраз\w|contraseña|clave)\b"
    r"(?P<rest>.{0,60})",
    re.IGNORECASE | re.DOTALL,
)
SAYS = re.compile(
    r"^[^.!?\n]{0,25}?(?:\b(?:is|was|are|это|был|такой|es|era)\b|[:=—–])\s{0,3}[\"'«“`]?(?P<value>\S{6,60})",
    re.IGNORECASE,
)
# What is counted, dated or told by rule is no PIN: "8 digits", "since 2021".
COUNTED = re.compile(
    r"^\W{0,3}(?:digits?|characters?|chars?|attempts?|times?|years?|days?|months?|usd|eur|euros?|dollars?|tokens?"
    r"|цифр\w{0,2}|символ\w{0,3}|знак\w{0,3}|попыт\w{1,3}|раз\w?|год\w{0,3}|лет|дн\w{1,3}|руб\w{0,4}"
    r"|dígitos?|caracteres|intentos?|veces|años?|días|meses)\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?:19|20)\d\d")
ERROR = re.compile(r"(?:error|http|ошибк\w|status|sms)\W{0,4}\Z", re.IGNORECASE)


def certainty(text: str) -> bool | None:
    """False: perhaps a PIN or a password. None: none. Nothing proves one."""
    for name in PIN.finditer(text):
        if ERROR.search(text[max(0, name.start() - 12) : name.start()]):
            continue
        rest = name["rest"].split("\n\n")[0]
        if SPOKEN.search(rest):
            return False
        for digits in DIGITS.finditer(rest):
            if not YEAR.fullmatch(digits[0]) and not COUNTED.match(rest[digits.end() :]):
                return False
    if any(re.search(r"[2-7]", name["secret"]) for name in ONE_TIME.finditer(text)):
        return False
    for name in SPARE.finditer(text):
        if len(SPARE_CODE.findall(name["rest"])) > 1:
            return False
    for name in PASSWORD.finditer(text):
        said = SAYS.match(name["rest"])
        if said and _looks_chosen(said["value"]):
            return False
        if any(_looks_chosen(word, strictly=True) for word in name["rest"].split()[:4]):
            return False
    return None


def _looks_chosen(value: str, *, strictly: bool = False) -> bool:
    """Whether a value is no ordinary word: digits among letters, or signs within; `strictly`: all of these."""
    value = value.strip(".,;:?)\"'»”`")
    letters = any(char.isalpha() for char in value)
    digits = any(char.isdigit() for char in value)
    signs = any(char in "!@#$%^&*_+=?~" for char in value)
    if strictly:
        return len(value) >= 6 and letters and digits and signs
    return len(value) >= 6 and ((letters and digits) or (signs and (letters or digits)))
