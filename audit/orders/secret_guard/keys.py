"""Private keys: by their prefixes and checksums, and by what the text calls them where they have none.

32 bytes in hex are a key or a transaction's hash, and 64 bytes in Base58 are a Solana key or a signature: the key
can be told from the signature by computing, the hash only by the words around it.
"""

import base64
import binascii
import re
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit.orders.secret_guard import context

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
B58, B32 = "[1-9A-HJ-NP-Za-km-z]", "[02-9ac-hj-np-z]"

# Only secrets begin like these. Prefix, then characters: what follows and how long it is.
TABLE = (
    ("one-time passwords", r"otpauth(?:-migration)?://"),
    ("PEM", r"-----BEGIN [A-Z ]{0,20}PRIVATE KEY"),
    ("Bitcoin, WIF", rf"(?<!\w)[5KL9c]{B58}{{50,51}}(?!\w)"),
    ("BIP-38", rf"(?<!\w)6P{B58}{{56}}(?!\w)"),
    # An extended public key shows every address and balance: nothing to send around either.
    ("extended key", rf"(?<!\w)[a-zA-Z](?:prv|pub){B58}{{90,120}}"),
    ("Cardano", rf"(?<![a-z0-9])(?:[a-z0-9]{{1,12}}_)?(?:xsk|sk|xprv|prv)1{B32}{{40,220}}"),
    ("Nostr", rf"nsec1{B32}{{50,70}}|ncryptsec1{B32}{{100,200}}"),
    ("Sui", rf"suiprivkey1{B32}{{40,80}}"),
    ("Aptos", r"(?:ed25519|secp256k1)-priv-0x[0-9a-f]{64}"),
    ("age", rf"age-secret-key-1{B32}{{50,70}}"),
    ("Zcash", rf"secret-(?:extended|spending)-key-(?:main|test)1?[{ALPHABET}0l]{{40,300}}"),
    (
        "NEAR",
        rf"(?:private|secret)?_?key\W{{1,6}}(?:ed25519|secp256k1):{B58}{{43,90}}|ed25519:{B58}{{85,90}}",
    ),
    ("Stellar", r"(?<!\w)S[A-Z2-7]{55}(?!\w)"),
    ("XRP", rf"(?<!\w)s(?=\w{{0,28}}\d)(?=\w{{0,28}}[A-Z])(?:Ed)?{B58}{{28}}(?!\w)"),
    ("Tezos", rf"(?<!\w)(?:edsk|spsk|p2sk|edesk){B58}{{50,94}}"),
    ("Mina", rf"(?<!\w)EK[EF]{B58}{{49}}(?!\w)"),
    ("Polkadot", r"(?<!\w)//?[a-z]{3,20}\W{1,3}0x[0-9a-f]{64}"),
    ("bytes as JSON", r"\[\s{0,3}(?:\d{1,3}\s{0,3},\s{0,3}){31,127}\d{1,3}\s{0,3}\]"),
    ("keystore", r"\"?(?:ciphertext|kdfparams|mnemonic|private_?key|secret_?key)\"?\s{0,3}:\s{0,3}[\"{]"),
)
PREFIXED = tuple(
    re.compile(pattern, 0 if B58 in pattern or name in {"PEM", "Stellar"} else re.IGNORECASE)
    for name, pattern in TABLE
)
# Also found in one piece after spaces and line breaks are taken out, wherever they were.
JOINED = re.compile(
    rf"[xyztuv]prv{B58}{{100}}|suiprivkey1{B32}{{50}}|nsec1{B32}{{55}}|age-secret-key-1{B32}{{55}}|edsk{B58}{{50}}"
    rf"|AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{{55}}"
)
BREAKS = re.compile(r"[\s:\-,|/·•]+")
HEX = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?([0-9a-fA-F]{64}|[0-9a-fA-F]{128})(?![0-9A-Za-z])")
HALF = re.compile(r"(?<![0-9A-Za-z-])(?:0[xX])?[0-9a-fA-F]{32,63}(?![0-9A-Za-z-])")
ADDRESS = re.compile(r"(?<!\w)(?:0[xX])[0-9a-fA-F]{40}(?!\w)")
CHUNK = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?([0-9a-fA-F]{2,62})(?![0-9A-Za-z])")
BYTES = re.compile(r"(?<![\d.])(?:\d{1,3}[\s,;]{1,3}){31,63}\d{1,3}(?![\d.])")
GROUPED = re.compile(
    r"(?<![0-9A-Za-z])(?:[0-9a-fA-F]{2,62}[\s:,|-]{1,3}){1,31}[0-9a-fA-F]{2,62}(?![0-9A-Za-z])"
)
WORDS_BETWEEN = 8  # words that may stand between two pieces of one key
SIGNATURE = re.compile(rf"(?<!\w){B58}{{85,90}}(?!\w)")
BASE64 = re.compile(r"(?<![\w+/=-])(?:[\w+/-]{43}=|[\w+/-]{86}==)(?![\w=])", re.ASCII)
WIF_STARTS, WIF_CHARS = frozenset("5KL9c"), (51, 52)
MOST_TRIALS = 3000


def certainty(text: str) -> bool | None:
    """True: a private key. False: perhaps one. None: none."""
    if any(pattern.search(text) for pattern in PREFIXED):
        return True
    joined = BREAKS.sub("", text)
    if JOINED.search(joined) or _has_wif(joined):
        return True
    if _solana_keys(text):
        return True
    private = context.without_addresses(text)
    called = [
        context.is_called_key(private, found.start())
        for pattern in (HEX, BASE64, SIGNATURE, HALF)
        for found in pattern.finditer(private)
        if pattern is not BASE64 or _is_bytes(found[0])
    ]
    if any(called):
        return True
    public = context.is_transaction(private)
    bare = HEX.search(private) or any(_is_bytes(found[0]) for found in BASE64.finditer(private))
    if (bare and not public) or _in_pieces(private) or any(map(_are_bytes, BYTES.finditer(text))):
        return False
    return None


def _is_bytes(text: str) -> bool:
    """Whether Base64 text is 32 or 64 random bytes, and no long word."""
    if not (re.search(r"\d", text) and re.search(r"[a-z]", text) and re.search(r"[A-Z]", text)):
        return False
    try:
        return len(base64.b64decode(text.translate(str.maketrans("-_", "+/")), validate=True)) in {32, 64}
    except binascii.Error:
        return False


def _are_bytes(found: re.Match[str]) -> bool:
    numbers = [int(number) for number in re.findall(r"\d{1,3}", found[0])]
    return len(numbers) in {32, 64} and 31 < max(numbers) < 256


def _in_pieces(text: str) -> bool:
    """Whether pieces of hex that follow each other make 32 bytes; addresses and ids are no pieces."""
    for found in GROUPED.finditer(text):
        joined = BREAKS.sub("", found[0])
        if len(joined) == 64 and sum(char.isdigit() for char in joined) >= 12 and not joined.isdigit():
            return True
    pieces = [
        (found.start(), found.end(), len(found[1]))
        for found in CHUNK.finditer(ADDRESS.sub(" ", text))
        if len(found[1]) >= 8 or not found[1].isalpha()
    ]
    clean = ADDRESS.sub(" ", text)
    for first in range(len(pieces)):
        total, end, digits = 0, pieces[first][0], False
        for start, stop, size in pieces[first : first + 32]:
            between = clean[end:start]
            if len(between) > 60 or len(between.split()) > (WORDS_BETWEEN if size >= 8 else 0):
                break
            total, end = total + size, stop
            digits = digits or any(char.isalpha() for char in clean[start:stop])
            if total >= 64:
                if total == 64 and digits and first + 1 < len(pieces) and size < 64:
                    return True
                break
    return False


def _decode(text: str) -> bytes:
    number = 0
    for char in text:
        number = number * 58 + ALPHABET.index(char)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _has_wif(joined: str) -> bool:
    """Whether 51 or 52 characters in a row are a key in WIF by their checksum, however they were grouped."""
    trials = 0
    for run in re.finditer(rf"{B58}{{51,}}", joined):
        text = run[0]
        for start in range(len(text) - WIF_CHARS[0] + 1):
            if text[start] not in WIF_STARTS:
                continue
            for size in WIF_CHARS:
                raw = _decode(text[start : start + size])
                if len(raw) in {37, 38} and sha256(sha256(raw[:-4]).digest()).digest()[:4] == raw[-4:]:
                    return True
            trials += 1
            if trials > MOST_TRIALS:
                return False
    return False


def _solana_keys(text: str) -> bool:
    """Whether 64 bytes in Base58 are a key pair: the second half is the public key of the first."""
    return any(_is_pair(_decode(found[0])) for found in SIGNATURE.finditer(text))


def _is_pair(raw: bytes) -> bool:
    if len(raw) != 64:
        return False
    public = Ed25519PrivateKey.from_private_bytes(raw[:32]).public_key()
    return public.public_bytes(Encoding.Raw, PublicFormat.Raw) == raw[32:]
