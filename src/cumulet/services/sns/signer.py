"""A key and its certificate, and the signatures that it makes. Imported when the first is needed: it takes a while."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from cumulet.services.sns.links import CERTIFICATES

KEY_BITS = 2048
VALID_DAYS = 36_500
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
"""SNS: by SignatureVersion."""


class Signer:
    """Signs with the platform's one key."""

    def __init__(self, private_key: str, certificate: str) -> None:
        """Take key and certificate in PEM."""
        key = serialization.load_pem_private_key(private_key.encode(), None)
        assert isinstance(key, rsa.RSAPrivateKey)
        self._key = key
        self.certificate = certificate
        digest = hashlib.md5(certificate.encode(), usedforsecurity=False).hexdigest()
        self.name = f"SimpleNotificationService-{digest}.pem"
        """The certificate's file name."""

    def sign(self, text: str, version: str) -> str:
        """Return a signature in base64; `version` is SNS's SignatureVersion.

        It takes a quarter of a millisecond; in threads it took longer, for each signature waits for the interpreter.
        """
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), HASHES[version])).decode()

    def certificate_url(self, base_url: str) -> str:
        """Return where the certificate is."""
        return f"{base_url}{CERTIFICATES}{self.name}"


def new_pair(now_ms: int) -> tuple[str, str]:
    """Return a private key and a certificate for it that it has signed itself, in PEM."""
    key = rsa.generate_private_key(65537, KEY_BITS)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.fromtimestamp(now_ms / 1000, UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=VALID_DAYS))
        .sign(key, hashes.SHA256())
    )
    private_key = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private_key.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()
