"""Digest access authentication: what a client answers the challenge of an endpoint (RFC 2617, RFC 7616).

Algorithms MD5 and SHA-256, also as sessions; quality of protection `auth`, or none as RFC 2069 has it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

SCHEME = "digest"
HASHES = {"MD5": "md5", "SHA-256": "sha256"}
SESSION = "-SESS"
MOST_CHARACTERS = 4_096
"""Of a challenge: an endpoint may send anything."""
FIRST_USE = "00000001"
"""A nonce is used once."""
_PARAMETER = re.compile(r'(?<![A-Za-z])([A-Za-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_QUOTED_PAIR = re.compile(r"\\(.)")


def authorization(challenge: str, method: str, target: str, name: str, password: str, client_nonce: str) -> str | None:
    """Return the value of the header Authorization that answers a challenge, None for one that asks for other things.

    `challenge` is that of the header WWW-Authenticate, `target` the request's; `client_nonce` nobody can guess.
    """
    if len(challenge) > MOST_CHARACTERS:
        return None
    scheme, _, rest = challenge.strip().partition(" ")
    asked = _parameters(rest)
    algorithm = asked.get("algorithm", "MD5").upper()
    hash_name = HASHES.get(algorithm.removesuffix(SESSION))
    qualities = {quality.strip() for quality in asked.get("qop", "").split(",")}
    if scheme.lower() != SCHEME or hash_name is None or not {"realm", "nonce"} <= asked.keys():
        return None
    if "qop" in asked and "auth" not in qualities:
        return None
    if not all(text.isprintable() for text in (name, *asked.values())):
        return None

    def digest(text: str) -> str:
        return hashlib.new(hash_name, text.encode(), usedforsecurity=False).hexdigest()

    realm, nonce = asked["realm"], asked["nonce"]
    secret = digest(f"{name}:{realm}:{password}")
    if algorithm.endswith(SESSION):
        secret = digest(f"{secret}:{nonce}:{client_nonce}")
    action = digest(f"{method}:{target}")
    quoted = {"username": name, "realm": realm, "nonce": nonce, "uri": target}
    plain: dict[str, str] = {}
    if "qop" in asked:
        quoted["response"] = digest(f"{secret}:{nonce}:{FIRST_USE}:{client_nonce}:auth:{action}")
        plain = {"qop": "auth", "nc": FIRST_USE}
        quoted["cnonce"] = client_nonce
    else:
        quoted["response"] = digest(f"{secret}:{nonce}:{action}")
    if "opaque" in asked:
        quoted["opaque"] = asked["opaque"]
    if "algorithm" in asked:
        plain["algorithm"] = asked["algorithm"]
    parts = [f'{key}="{_escaped(value)}"' for key, value in quoted.items()]
    return f"Digest {', '.join([*parts, *(f'{key}={value}' for key, value in plain.items())])}"


def _parameters(text: str) -> Mapping[str, str]:
    return {
        name.lower(): _QUOTED_PAIR.sub(r"\1", quoted) if quoted else plain
        for name, quoted, plain in _PARAMETER.findall(text)
    }


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')
