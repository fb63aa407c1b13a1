"""Queue URLs: `http://HOST/queue/REGION/ACCOUNT/NAME`, with shorter forms accepted."""

from __future__ import annotations

from functools import lru_cache

LONGEST_URL = 2048
"""Far more than any queue's URL has: what is longer names none, and is not kept in memory."""

QueueKey = tuple[str, str, str]


def queue_url(base_url: str, account: str, region: str, name: str) -> str:
    """Return the URL of a queue under the address that the client used."""
    return f"{base_url}/queue/{region}/{account}/{name}"


def key_of_url(url: str, account: str, region: str) -> QueueKey | None:
    """Return account, region and name of the queue that a QueueUrl names, or None when it names none.

    Scheme and host don't matter. `/ACCOUNT/NAME` is in the `region` of the request; a bare name (which AWS takes
    too) is the `account`'s own.
    """
    return _key_of_url(url, account, region) if len(url) <= LONGEST_URL else None


@lru_cache(maxsize=4096)
def _key_of_url(url: str, account: str, region: str) -> QueueKey | None:
    path = url.split("://", 1)[1].partition("/")[2] if "://" in url else url
    match path.strip("/").split("/"):
        case ["queue", url_region, url_account, name] if url_region and name:
            return url_account, url_region, name
        case [url_account, name] if url_account and name:
            return url_account, region, name
        case [name] if name and "://" not in url:
            return account, region, name
    return None


def is_queue_path(raw_path: bytes) -> bool:
    """Whether a request's path is that of a queue URL."""
    parts = raw_path.strip(b"/").split(b"/")
    return (len(parts) == 4 and parts[0] == b"queue") or (len(parts) == 2 and parts[0].isdigit() and bool(parts[1]))
