"""Secrets of machines: keys of AWS, SSH, TLS and PGP."""

from cumulet.protection.identifier import Identifier

_KEY_BODY = r"(?:[A-Za-z0-9+/=\s\\:,.()]|-[A-Za-z0-9])*"
_AWS_SECRET_CHARACTERS = 40
_EXAMPLE_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


def _is_aws_secret(text: str) -> bool:
    """Exactly forty random characters of base64: not a longer blob, a path or a digest in hexadecimal."""
    return (
        len(text) == _AWS_SECRET_CHARACTERS
        and any(character.isupper() for character in text)
        and any(character.islower() for character in text)
        and any(character.isdigit() for character in text)
    )


def _pem(label: str) -> str:
    return f"-----BEGIN {label}-----{_KEY_BODY}(?:-----END {label}-----)?"


def _pem_example(label: str) -> str:
    return f"-----BEGIN {label}-----\nMIIEpAIBAAKCAQEA75vW2ofS\n-----END {label}-----"


AWS_SECRET_KEY = Identifier(
    name="AwsSecretKey",
    category="Credentials",
    title="AWS secret access key",
    # More characters than a key has, to see that a longer blob is none.
    patterns=(r"[A-Za-z0-9/+]{40,80}",),
    keywords=("aws_secret_access_key", "credentials", "secret access key", "secret key", "set-awscredential"),
    check=_is_aws_secret,
    is_whole=True,
    matches=(
        (f"aws_secret_access_key = {_EXAMPLE_SECRET}", _EXAMPLE_SECRET),
        (f'{{"SecretAccessKey": "{_EXAMPLE_SECRET}"}}', _EXAMPLE_SECRET),
        (f"secret key /{_EXAMPLE_SECRET[1:]}", f"/{_EXAMPLE_SECRET[1:]}"),
    ),
    misses=(
        f"checksum {_EXAMPLE_SECRET}",
        "secret key da39a3ee5e6b4b0d3255bfef95601890afd80709",
        f"secret key {_EXAMPLE_SECRET}0",
        f"credentials {'aB3+' * 6}/{_EXAMPLE_SECRET}",
    ),
)

_OPENSSH_CUT = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXkt"
_PGP_VERSION = (
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\nlQOYBF\n=Q7mD\n-----END PGP PRIVATE KEY BLOCK-----"
)

OPENSSH_PRIVATE_KEY = Identifier(
    name="OpenSshPrivateKey",
    category="Credentials",
    title="OpenSSH private key",
    patterns=(_pem("OPENSSH PRIVATE KEY"),),
    matches=(
        (f"key: {_pem_example('OPENSSH PRIVATE KEY')} end", _pem_example("OPENSSH PRIVATE KEY")),
        (_OPENSSH_CUT, _OPENSSH_CUT),
    ),
    misses=(_pem_example("PRIVATE KEY"), "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEXAMPLE user@host"),
)

PGP_PRIVATE_KEY = Identifier(
    name="PgpPrivateKey",
    category="Credentials",
    title="PGP private key",
    patterns=(_pem("PGP PRIVATE KEY BLOCK"),),
    matches=(
        (_pem_example("PGP PRIVATE KEY BLOCK"), _pem_example("PGP PRIVATE KEY BLOCK")),
        (f"key={_PGP_VERSION}", _PGP_VERSION),
    ),
    misses=(_pem_example("PGP PUBLIC KEY BLOCK"), _pem_example("PGP MESSAGE")),
)

PKCS_PRIVATE_KEY = Identifier(
    name="PkcsPrivateKey",
    category="Credentials",
    title="Private key in a format of PKCS",
    patterns=tuple(_pem(f"{kind}PRIVATE KEY") for kind in ("", "RSA ", "DSA ", "EC ", "ENCRYPTED ")),
    matches=(
        (_pem_example("PRIVATE KEY"), _pem_example("PRIVATE KEY")),
        (f"tls.key={_pem_example('RSA PRIVATE KEY')}", _pem_example("RSA PRIVATE KEY")),
        (_pem_example("ENCRYPTED PRIVATE KEY"), _pem_example("ENCRYPTED PRIVATE KEY")),
    ),
    misses=(_pem_example("PUBLIC KEY"), _pem_example("CERTIFICATE"), _pem_example("OPENSSH PRIVATE KEY")),
)

_PUTTY_EXAMPLE = (
    "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: a key\nPublic-Lines: 1\nAAAAC3NzaC1l\n"
    "Private-Lines: 1\nAAAAIB5\nPrivate-MAC: 9c8a5e0a3f2b9c8a5e0a3f2b9c8a5e0a3f2b9c8a5e0a3f2b9c8a5e0a3f2b9c8a"
)

PUTTY_PRIVATE_KEY = Identifier(
    name="PuttyPrivateKey",
    category="Credentials",
    title="PuTTY private key",
    patterns=(r"PuTTY-User-Key-File-[0-9]:[^\x00]*Private-(?:MAC|Hash): [0-9a-f]{40,64}",),
    matches=((_PUTTY_EXAMPLE, _PUTTY_EXAMPLE), (f"key:\n{_PUTTY_EXAMPLE}\n", _PUTTY_EXAMPLE)),
    misses=("a PuTTY-User-Key-File-2 begins with its name", "Private-MAC: 9c8a5e0a3f2b9c8a5e0a3f2b9c8a5e0a3f2b9c8a"),
)

IDENTIFIERS = (AWS_SECRET_KEY, OPENSSH_PRIVATE_KEY, PGP_PRIVATE_KEY, PKCS_PRIVATE_KEY, PUTTY_PRIVATE_KEY)
