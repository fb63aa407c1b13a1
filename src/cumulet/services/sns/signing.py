"""The signatures of messages, and the certificate that subscribers check them with.

The key is made when it is first needed and stays in the store, so that what was signed before a restart is still true.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from cumulet.kernel.clock import Clock
from cumulet.store import Store, Tx
from cumulet.wire.http import HttpRequest, HttpResponse

FOLDER = b"/_cumulet/sns/certificates/"
KEY_BITS = 2048
VALID_DAYS = 36_500
HASHES: dict[str, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}
"""SNS: by SignatureVersion."""
SELECT_KEY = "SELECT private_key, certificate FROM sns_signing_keys WHERE id = 1"
INSERT_KEY = """
INSERT INTO sns_signing_keys (id, private_key, certificate) VALUES (1, ?, ?) ON CONFLICT (id) DO NOTHING"""


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
        """Return a signature in base64; `version` is SNS's SignatureVersion. Takes half a millisecond."""
        return base64.b64encode(self._key.sign(text.encode(), padding.PKCS1v15(), HASHES[version])).decode()

    def certificate_url(self, base_url: str) -> str:
        """Return where the certificate is."""
        return f"{base_url}{FOLDER.decode()}{self.name}"


class Signing:
    """Makes, keeps and shows the key."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._signer: Signer | None = None
        self._making = asyncio.Lock()

    async def signer(self) -> Signer:
        """Return what signs."""
        if self._signer is not None:
            return self._signer
        async with self._making:
            if self._signer is None:
                pair = await self._store.read(_load)
                if pair is None:
                    new = await asyncio.to_thread(_new_pair, self._clock.now_ms())
                    pair = await self._store.transact(_keep, *new)
                self._signer = Signer(*pair)
        return self._signer

    async def answer(self, request: HttpRequest) -> HttpResponse:
        """Return the certificate, under its name."""
        signer = await self.signer()
        if request.raw_path.removeprefix(FOLDER) != signer.name.encode():
            return HttpResponse(404, b"There is no such certificate.\n", [(b"content-type", b"text/plain")])
        return HttpResponse(200, signer.certificate.encode(), [(b"content-type", b"application/x-pem-file")])


def _load(tx: Tx) -> tuple[str, str] | None:
    row = tx.one(SELECT_KEY)
    return (row[0], row[1]) if row else None


def _keep(tx: Tx, private_key: str, certificate: str) -> tuple[str, str]:
    """Write a new key unless there is one, and return the one that holds."""
    tx.run(INSERT_KEY, private_key, certificate)
    return _load(tx) or (private_key, certificate)


def _new_pair(now_ms: int) -> tuple[str, str]:
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
