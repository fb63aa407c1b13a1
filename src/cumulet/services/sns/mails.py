"""What people read who have subscribed with their address: subjects, texts, and the mail as it is sent.

SNS: the sender of notifications is called as the topic's DisplayName says, that of all else is AWS Notifications. A
notification is the message and how to end the subscription; email-json has the JSON that HTTP endpoints get.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NamedTuple

from cumulet.services.sns.letters import Kind

LONGEST_LINE = 998
"""Characters, of a header; by RFC 5322."""
SENDER = "AWS Notifications"
SUBJECTS: dict[Kind, str] = {
    "Notification": "AWS Notification Message",
    "SubscriptionConfirmation": "AWS Notification - Subscription Confirmation",
    "UnsubscribeConfirmation": "AWS Notification - Unsubscribe Confirmation",
}
"""SNS: of mails that have no subject of their own."""
FOOTER = "\n\n--\nTo get no more messages of this topic, open this address:\n{link}\n"
TEXTS = {
    "SubscriptionConfirmation": (
        "This address was subscribed to the topic\n{topic}\n\n"
        "To confirm that and get its messages, open this address within two days:\n{link}\n\n"
        "If you do not want them, do nothing.\n"
    ),
    "UnsubscribeConfirmation": (
        "This address gets no more messages of the topic\n{topic}\n\n"
        "The subscription that has ended is\n{subscription}\n\n"
        "If that was a mistake, open this address within two days to get them again:\n{link}\n"
    ),
}


class Mail(NamedTuple):
    """One mail."""

    sender_name: str
    subject: str
    text: str


def subject_of(kind: Kind, given: str | None) -> str:
    """Return a mail's subject, on one line."""
    return _line(given or "") or SUBJECTS[kind]


def sender_of(kind: Kind, display_name: str | None) -> str:
    """Return how a mail's sender is called, on one line."""
    return (_line(display_name or "") if kind == "Notification" else "") or SENDER


def notification(message: str, link: str) -> str:
    """Return a message, and below it how to end the subscription."""
    return message + FOOTER.format(link=link)


def confirmation(kind: Kind, topic_arn: str, subscription_arn: str, link: str) -> str:
    """Return what asks for a confirmation, or tells that a subscription has ended."""
    return TEXTS[kind].format(topic=topic_arn, subscription=subscription_arn, link=link)


def encoded(mail: Mail, sender: str, recipient: str, message_id: str, sent_ms: int) -> bytes:
    """Return a mail as mail servers take it: headers and text, in ASCII, lines of at most 998 bytes."""
    from email.headerregistry import Address  # 15 ms, for those who send mail
    from email.message import EmailMessage
    from email.policy import SMTP

    letter = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    letter["From"] = Address(mail.sender_name, addr_spec=sender)
    letter["To"] = Address(addr_spec=recipient)
    letter["Subject"] = mail.subject
    letter["Date"] = datetime.fromtimestamp(sent_ms / 1000, UTC)
    letter["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    letter.set_content(mail.text)
    # The library takes the quotes off names that it breaks into lines.
    return letter.as_bytes(policy=letter.policy.clone(max_line_length=LONGEST_LINE))


def _line(text: str) -> str:
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
