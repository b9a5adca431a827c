"""Google's OAuth token endpoint for service accounts, with real keys and real signatures.

Only here `cryptography` is needed, and it is imported when the first service account is made.
"""

import base64
import json
import time
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import parse_qs

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_LIFETIME_S = 3600
_PREFIX = "ya29.sim-"


class Refused(Exception):
    """A grant that Google would refuse: `error` and `error_description` of RFC 6749."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.body = {"error": error, "error_description": description}


class ServiceAccounts:
    """The service accounts that the token endpoint trusts. Thread-safe."""

    def __init__(self) -> None:
        self._accounts: dict[str, tuple[str, Any]] = {}  # client_email: (label, public key)
        self._serial = count(1)

    def create(self, *, project: str, label: str, token_uri: str) -> dict[str, str]:
        """A new service account as Google's JSON, with a fresh RSA key. Its tokens name `label`."""
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import rsa

        # Half the usual size: it guards nothing, and is made and read in a tenth of the time.
        key = rsa.generate_private_key(public_exponent=65537, key_size=1024)
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        name = label.replace(":", "-")
        account = {
            "type": "service_account",
            "project_id": project,
            "private_key_id": f"simulated-{name}",
            "private_key": pem.decode(),
            "client_email": f"{name}@{project}.iam.gserviceaccount.com",
            "client_id": "100000000000000000000",
            "auth_uri": token_uri,
            "token_uri": token_uri,
        }
        self._accounts[account["client_email"]] = (label, key.public_key())
        return account

    def trust(self, account: Mapping[str, str], label: str) -> None:
        """Accepts the signatures of a service account that another run created."""
        from cryptography.hazmat.primitives import serialization

        key = serialization.load_pem_private_key(
            account["private_key"].encode(), password=None, unsafe_skip_rsa_key_validation=True
        )
        self._accounts[account["client_email"]] = (label, key.public_key())

    def knows(self, label: str) -> bool:
        return any(each == label for each, _ in list(self._accounts.values()))

    def label_of_grant(self, form: bytes) -> str:
        """The label of the service account that signed a token request. Raises Refused.

        Times are checked against the machine's clock, which is the one that google-auth signs with.
        """
        fields = {name: values[0] for name, values in parse_qs(form.decode("latin-1")).items()}
        if fields.get("grant_type") != GRANT:
            raise Refused("unsupported_grant_type", f"Invalid grant_type: {fields.get('grant_type')}")
        signed, _, signature = fields.get("assertion", "").rpartition(".")
        try:
            header, claims = (json.loads(_decode(part)) for part in signed.split("."))
            algorithm, issuer, audience = header["alg"], claims["iss"], claims["aud"]
            issued, expires = float(claims["iat"]), float(claims["exp"])
            proof = _decode(signature)
        except (ValueError, KeyError, TypeError):
            raise Refused("invalid_request", "Bad Request") from None
        if issuer not in self._accounts:
            raise Refused("invalid_grant", "Invalid grant: account not found")
        label, key = self._accounts[issuer]
        if algorithm != "RS256" or not _verified(key, proof, signed.encode()):
            raise Refused("invalid_grant", "Invalid JWT Signature.")
        if not audience.endswith("/token"):
            raise Refused("invalid_grant", "Invalid JWT: wrong audience")
        if not issued - 60 <= time.time() <= expires or expires - issued > TOKEN_LIFETIME_S + 60:
            raise Refused(
                "invalid_grant",
                "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. "
                "Check your iat and exp values in the JWT claim.",
            )
        if not claims.get("scope") and not claims.get("target_audience"):
            raise Refused("invalid_scope", "Empty or missing scope not allowed.")
        return label

    def token(self, label: str) -> dict[str, object]:
        """The answer to a good request: a bearer token that `label_of_token` can read."""
        token = f"{_PREFIX}{next(self._serial)}-{label}"
        return {"access_token": token, "expires_in": TOKEN_LIFETIME_S, "token_type": "Bearer"}


def label_of_token(token: str) -> str:
    """The label of the service account that a bearer token was made for; any other token is its own."""
    return token.removeprefix(_PREFIX).partition("-")[2] if token.startswith(_PREFIX) else token


def _verified(key: Any, signature: bytes, message: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    try:
        key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _decode(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
