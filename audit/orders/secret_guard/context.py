"""What the words around something say that it is: a secret, a transaction, an address."""

import re

# Names of secrets, in the site's languages. A phrase or key that is announced needs less evidence.
PHRASE = re.compile(
    r"\b(?:seed|mnemonic|recovery|(?:secret|backup) (?:phrase|words?)|bip-?39|slip-?39|phrase"
    r"|(?:12|15|18|20|24|25|twelve|twenty-four|first|last|other|remaining|second|next) (?:\w{1,12} )?(?:words|half)"
    r"|half of|part (?:one|two|\d)|index(?:es)?|indices|word numbers"
    r"|сид\w{0,4}|мнемо\w{0,10}|фраз\w{1,3}|слов[ао]?\b|половин\w{1,2}|часть|индекс\w{0,3}|номера слов"
    r"|frase|semilla|mnemónic\w{1,3}|palabras|mitad|parte|índices)\b",
    re.IGNORECASE,
)
KEY = re.compile(
    r"private[ _-]?key|priv[ _-]?key|secret[ _-]?key|\bsecret\b|\bseed\b|\bentropy\b|\bmaster key|\bkeystore|\bmnemonic"
    r"|\b(?:my|wallet|the|here is the|this is the) key\b|\bkey(?: is)?\s?[:=]|\bpriv\b|\bpk\s?[:=]"
    r"|\b(?:im|ex)port(?:s|ed)?\b"
    r"|приват\w{0,6}|закрыт\w{1,3} ключ|секрет\w{0,6}|\bключ\w{0,3}\b|энтропи\w|\bсид\b"
    r"|clave privada|llave privada|clave secreta|\bclave\b|\bllave\b|privada|semilla|entropía",
    re.IGNORECASE,
)
TRANSACTION = re.compile(
    r"\btx(?:id|n|hash|s)?\b|transa[ck]|\bhash|signature|\bsig\b|explorer|etherscan|bscscan|polygonscan|arbiscan|basescan"
    r"|solscan|tronscan|tonviewer|tonscan|blockchair|mempool|blockstream|block\b|drain|stole|stolen|theft|hacked|scam"
    r"|\bsent\b|\bsend\b|transfer|withdr|deposit|approv|swap|bridge|confirm|pending|receipt|\bpaid\b|payment|emptied"
    r"|contract|\bfail|revert|\bstuck\b|checksum|\bsha-?(?:1|256|512)|installer|download|"
    r"транзакц|\bтранз|хеш|хэш|подпис|перев[оеё]|отправ|украл|украден|увел|увод|списа|вывод|вывел|вывод|ушл[ио]|скам|взлом"
    r"|блок|обозревател|депозит|своп|апрув|платеж|платёж|зачисл|завис|контрольн\w{1,3} сумм|скачал"
    r"|transacci|firma|transfer|envi[éeao]|rob(?:ado|aron|o\b)|estafa|hackea|retir|bloque|explorador|aprob|dep[óo]sito"
    r"|puente|pago|vaci(?:ó|aron|ado)|fall(?:ó|ida|aron)|suma de (?:comprob|verific)|descarg",
    re.IGNORECASE,
)
NEAR = 60  # characters before something, in which its name stands
# Where a transaction is shown: `/tx/`, `/transaction/`, `?hash=` of any explorer's address.
SHOWN = re.compile(r"(?:https?://|www\.)[^\s<>\"']{4,300}", re.IGNORECASE)


def is_called_key(text: str, start: int) -> bool:
    """Whether the last name before a place of the text is that of a key, and not of a transaction."""
    before = text[max(0, start - NEAR) : start]
    key = max((found.end() for found in KEY.finditer(before)), default=-1)
    transaction = max((found.end() for found in TRANSACTION.finditer(before)), default=-1)
    return key > transaction


def is_transaction(text: str) -> bool:
    """Whether the text tells of a transaction anywhere."""
    return TRANSACTION.search(text) is not None


def without_addresses(text: str) -> str:
    """The text without web addresses: what an explorer shows is public."""
    return SHOWN.sub(" transaction ", text)
