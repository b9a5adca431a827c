"""What a sentence is about, as question ids, by the words of each question. Data and one function."""

import re
from functools import cache

_TOPICS = {
    "seed_storage": (
        r"seed|recovery phrase",
        r"сид-?фраз|сид\b",
        r"frase semilla|semilla|frase de recuperación",
    ),
    "seed_backup": (
        r"backups?\b|second copy",
        r"бэкап|резервн\w+ копи",
        r"copias? de seguridad|respaldo|backup",
    ),
    "hardware_wallet": (r"hardware", r"аппаратн", r"wallet física|hardware|billetera física"),
    "hot_cold_split": (
        r"cold (?:wallet|storage)|hot wallet|split",
        r"холодн|горяч",
        r"en frío|fría|caliente",
    ),
    "account_2fa": (
        r"second factor|2fa|passkeys?|authenticator|security key",
        r"втор\w+ фактор|2fa|пасске|аутентификатор|ключ\w* безопасности",
        r"segundo factor|2fa|passkey|autenticador|llave de seguridad",
    ),
    "sim_protection": (
        r"\bsim\b|phone number|carrier",
        r"\bsim\b|сим-карт|номер|оператор",
        r"\bsim\b|número|operador",
    ),
    "password_hygiene": (r"passwords?", r"парол", r"contraseña"),
    "token_approvals": (r"approvals?|allowances?", r"апрув|разрешени", r"aprobaci|permisos"),
    "tx_verification": (
        r"address(?:es)?\b|(?:check|verify)\w* (?:of )?transact|before (?:you )?sign",
        r"адрес|перед подписью|провер\w+ транзакц",
        r"direcci[oó]n|antes de firmar",
    ),
    "device_hygiene": (
        r"device|computer|laptop|browser|extensions?|updates?",
        r"устройств|компьютер|ноутбук|браузер|расширени|обновлени",
        r"dispositivo|ordenador|computadora|navegador|extensi[oó]n|actualizaci",
    ),
    "phishing_support": (
        r"callers?|calls\b|links?\b|phishing",
        r"звон|ссылк|фишинг",
        r"llamada|enlace|phishing",
    ),
    "privacy_inheritance": (
        r"heirs?|family|inherit\w+|emergency",
        r"наследни|семь|близк|экстренн",
        r"hereder|familia|emergencia",
    ),
}
_PLACE = {"en": 0, "ru": 1, "es": 2}


@cache
def _patterns(lang: str) -> dict[str, re.Pattern[str]]:
    place = _PLACE[lang]
    return {
        question: re.compile(rf"(?<!\w)(?:{words[place]})", re.IGNORECASE)
        for question, words in _TOPICS.items()
    }


def topics(sentence: str, lang: str) -> set[str]:
    """The ids of the questions whose subject a sentence names; none in a language without words."""
    if lang not in _PLACE:
        return set()
    return {question for question, pattern in _patterns(lang).items() if pattern.search(sentence)}
