"""SQS: making, finding, listing and deleting queues; the forms of a queue URL; who is asking."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet

NAME_TEXT = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
FIFO_NAME_TEXT = (
    "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, "
    "must end with .fifo suffix and be 1 to 80 in length."
)
NO_NAME_TEXT = "Value for parameter QueueName is invalid. Reason: Must specify a queue name."


@pytest.mark.parametrize("name", ["a", "A-b_9", "x" * 80])
def test_queue_url_names_host_region_account_and_queue(cumulet: Cumulet, either_wire: Wire, name: str) -> None:
    url = either_wire.call("CreateQueue", QueueName=name)["QueueUrl"]

    assert url == f"{cumulet.url}/queue/us-east-1/{cumulet.account}/{name}"
    assert either_wire.call("GetQueueUrl", QueueName=name) == {"QueueUrl": url}


def test_queue_url_is_under_the_host_that_the_client_used(wire: Wire, cumulet: Cumulet) -> None:
    headers = {"Host": "sqs.example:4566", "X-Amz-Target": "AmazonSQS.CreateQueue"}

    answer = wire.send("POST", "/", b'{"QueueName":"q"}', headers, signed=True)

    assert answer.json == {"QueueUrl": f"http://sqs.example:4566/queue/us-east-1/{cumulet.account}/q"}


@pytest.mark.parametrize("name", ["a b", "a.b", "ä", "x" * 81, "name.fifo", "a/b", "a:b", "q\n"])
def test_bad_queue_name_is_refused(either_wire: Wire, name: str) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("CreateQueue", QueueName=name)

    assert (refused.value.legacy_code, refused.value.message) == ("InvalidParameterValue", NAME_TEXT)
    assert either_wire.call("ListQueues") == {}


@pytest.mark.parametrize("name", ["name", "a.b.fifo", ".fifo", "x" * 76 + ".fifo", "name.FIFO", "name.fifo\n"])
def test_bad_fifo_queue_name_is_refused(either_wire: Wire, name: str) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("CreateQueue", QueueName=name, Attributes={"FifoQueue": "true"})

    assert (refused.value.legacy_code, refused.value.message) == ("InvalidParameterValue", FIFO_NAME_TEXT)
    assert either_wire.call("ListQueues") == {}


def test_longest_fifo_name_is_accepted(queues: Queues) -> None:
    assert queues.fifo("x" * 75 + ".fifo").name == "x" * 75 + ".fifo"


def test_queue_without_a_name_is_refused(either_wire: Wire) -> None:
    with pytest.raises(Refused) as missing:
        either_wire.call("CreateQueue")
    with pytest.raises(Refused) as empty:
        either_wire.call("CreateQueue", QueueName="")

    assert (missing.value.code, missing.value.message) == (empty.value.code, NO_NAME_TEXT)
    assert empty.value.message == "Queue name cannot be empty"


def test_queue_may_be_created_again_with_what_it_has(queues: Queues) -> None:
    queue = queues.standard("orders", VisibilityTimeout="7")

    assert queues.standard("orders").url == queue.url
    assert queues.standard("orders", VisibilityTimeout="7", DelaySeconds="0").url == queue.url
    assert queue.attribute("VisibilityTimeout") == "7"


def test_queue_cannot_be_created_again_with_another_value(queues: Queues) -> None:
    queue = queues.standard("orders", VisibilityTimeout="7")
    queue.set(VisibilityTimeout="8")

    with pytest.raises(ClientError) as refused:
        queues.standard("orders", DelaySeconds="0", VisibilityTimeout="7")

    assert refused.value.response["Error"]["Code"] == "QueueAlreadyExists"
    assert refused.value.response["Error"]["Message"] == (
        "A queue already exists with the same name and a different value for attribute VisibilityTimeout"
    )
    assert queues.standard("orders", VisibilityTimeout="8").url == queue.url


def test_creating_again_leaves_the_tags_alone(cumulet: Cumulet, queue: Queue) -> None:
    """AWS documents attributes alone as what must be equal."""
    queue.sqs.tag_queue(QueueUrl=queue.url, Tags={"a": "1"})

    queue.sqs.create_queue(QueueName=queue.name, tags={"b": "2"})

    assert queue.sqs.list_queue_tags(QueueUrl=queue.url)["Tags"] == {"a": "1"}


def test_deleted_queue_is_gone_with_its_messages(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard("orders")
    queue.send("one")

    queue.sqs.delete_queue(QueueUrl=queue.url)

    with pytest.raises(ClientError, match="The specified queue does not exist"):
        queue.send("two")
    cumulet.advance(seconds=60)
    assert queues.standard("orders").counts() == (0, 0, 0)


def test_name_of_a_deleted_queue_rests_for_a_minute(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard("orders")
    queue.sqs.delete_queue(QueueUrl=queue.url)
    cumulet.advance(milliseconds=59_999)

    with pytest.raises(ClientError) as refused:
        queues.standard("orders")
    assert refused.value.response["Error"]["Code"] == "AWS.SimpleQueueService.QueueDeletedRecently"
    assert refused.value.response["Error"]["Message"] == (
        "You must wait 60 seconds after deleting a queue before you can create another with the same name."
    )

    cumulet.advance(milliseconds=1)
    assert queues.standard("orders").url == queue.url


def test_handle_of_a_deleted_queue_means_nothing_to_its_successor(cumulet: Cumulet, queues: Queues) -> None:
    queue = queues.standard("orders")
    queue.send("one")
    [message] = queue.receive()
    queue.sqs.delete_queue(QueueUrl=queue.url)
    cumulet.advance(minutes=1)

    successor = queues.standard("orders")

    with pytest.raises(ClientError, match="is not valid for this queue"):
        successor.delete(message)


def test_deleting_twice_says_that_there_is_no_queue(either_wire: Wire, queue: Queue) -> None:
    either_wire.call("DeleteQueue", QueueUrl=queue.url)

    with pytest.raises(Refused) as refused:
        either_wire.call("DeleteQueue", QueueUrl=queue.url)

    assert refused.value.legacy_code == "AWS.SimpleQueueService.NonExistentQueue"


@pytest.mark.parametrize(
    "form",
    [
        "http://localhost:1/queue/us-east-1/{account}/orders",
        "https://sqs.us-east-1.amazonaws.com/{account}/orders",
        "https://queue.amazonaws.com/{account}/orders",
        "/queue/us-east-1/{account}/orders",
        "/{account}/orders",
        "{account}/orders",
        "orders",
    ],
)
def test_queue_is_found_by_every_form_of_its_url(
    cumulet: Cumulet, queues: Queues, either_wire: Wire, form: str
) -> None:
    queue = queues.standard("orders")
    queue.send("one")

    url = form.format(account=cumulet.account)
    [message] = either_wire.call("ReceiveMessage", QueueUrl=url)["Messages"]

    assert message["Body"] == "one"


@pytest.mark.parametrize(
    "url",
    [
        "http://whatever-incorrect-queue-address",
        "http://localhost/",
        "http://localhost/orders",
        "http://localhost/queue/us-east-1/{account}/other",
        "http://localhost/queue/eu-central-1/{account}/orders",
        "http://localhost/queue/us-east-1/111122223333/orders",
        "http://localhost/a/b/c/d/e",
        "ORDERS",
        "://",
    ],
)
def test_url_of_no_queue_is_refused(cumulet: Cumulet, queues: Queues, either_wire: Wire, url: str) -> None:
    queues.standard("orders")

    with pytest.raises(Refused) as refused:
        either_wire.call("ReceiveMessage", QueueUrl=url.format(account=cumulet.account))

    assert refused.value.status == 400
    assert refused.value.legacy_code == "AWS.SimpleQueueService.NonExistentQueue"
    assert refused.value.message == (
        "The specified queue does not exist."
        if either_wire.protocol == "json"
        else "The specified queue does not exist for this wsdl version."
    )


def test_region_in_the_url_beats_that_of_the_request(cumulet: Cumulet) -> None:
    here, there = cumulet.client("sqs"), cumulet.client("sqs", region="eu-central-1")
    urls = [client.create_queue(QueueName="orders")["QueueUrl"] for client in (here, there)]

    here.send_message(QueueUrl=urls[1], MessageBody="for there")

    assert there.receive_message(QueueUrl=urls[1])["Messages"][0]["Body"] == "for there"
    assert "Messages" not in here.receive_message(QueueUrl=urls[0])
    assert urlsplit(urls[1]).path == f"/queue/eu-central-1/{cumulet.account}/orders"


def test_accounts_have_queues_of_their_own(cumulet: Cumulet, queues: Queues) -> None:
    queues.standard("orders")
    other = cumulet.client("sqs", account="999988887777")

    with pytest.raises(ClientError, match="does not exist"):
        other.get_queue_url(QueueName="orders")


def test_without_enforcement_another_account_may_use_a_queue_by_its_url(cumulet: Cumulet, queue: Queue) -> None:
    other = cumulet.client("sqs", account="999988887777")

    url = other.get_queue_url(QueueName=queue.name, QueueOwnerAWSAccountId=cumulet.account)["QueueUrl"]
    other.send_message(QueueUrl=url, MessageBody="from elsewhere")

    assert url == queue.url
    message = queue.receive_one()
    assert (message["Body"], message["Attributes"]["SenderId"]) == ("from elsewhere", "999988887777")


def test_queue_of_an_owner_that_has_none_is_not_told_from_a_hidden_one(either_wire: Wire) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("GetQueueUrl", QueueName="orders", QueueOwnerAWSAccountId="111122223333")

    assert refused.value.legacy_code == "AWS.SimpleQueueService.NonExistentQueue"
    assert refused.value.message == "The specified queue does not exist or you do not have access to it."


def test_list_has_the_accounts_queues_of_the_region_by_name(cumulet: Cumulet, queues: Queues) -> None:
    made = [queues.standard(name).url for name in ("b", "a", "B", "ab")]
    cumulet.client("sqs", region="eu-central-1").create_queue(QueueName="c")

    listed = queues.sqs.list_queues()["QueueUrls"]

    assert listed == sorted(made)


def test_list_of_nothing_has_no_urls_member(either_wire: Wire) -> None:
    assert either_wire.call("ListQueues") == {}


def test_prefix_is_the_case_sensitive_start_of_the_name(queues: Queues) -> None:
    for name in ("orders-1", "orders-2", "Orders-3", "x-orders"):
        queues.standard(name)

    listed = queues.sqs.list_queues(QueueNamePrefix="orders")["QueueUrls"]

    assert [url.rpartition("/")[2] for url in listed] == ["orders-1", "orders-2"]


def test_pages_of_a_list_join_to_the_whole(either_wire: Wire, queues: Queues) -> None:
    made = [queues.standard(f"q{number}").url for number in range(7)]

    pages, token = [], {}
    while True:
        answer = either_wire.call("ListQueues", QueueNamePrefix="q", MaxResults=3, **token)
        pages.append(answer["QueueUrls"])
        if "NextToken" not in answer:
            break
        token = {"NextToken": answer["NextToken"]}

    assert [len(page) for page in pages] == [3, 3, 1]
    assert [url for page in pages for url in page] == made


def test_page_that_ends_with_the_list_has_no_token(wire: Wire, queues: Queues) -> None:
    queues.standard("a")
    queues.standard("b")

    assert "NextToken" not in wire.call("ListQueues", MaxResults=2)
    assert "NextToken" not in wire.call("ListQueues")


def test_token_goes_on_though_queues_come_and_go(wire: Wire, queues: Queues) -> None:
    made = [queues.standard(name) for name in ("a", "b", "c")]
    token = wire.call("ListQueues", MaxResults=2)["NextToken"]
    wire.call("DeleteQueue", QueueUrl=made[1].url)
    queues.standard("aa")

    rest = wire.call("ListQueues", MaxResults=2, NextToken=token)

    assert rest["QueueUrls"] == [made[2].url]


def test_token_of_another_list_is_refused(wire: Wire, queues: Queues) -> None:
    for name in ("a1", "a2"):
        queues.standard(name)
    token = wire.call("ListQueues", MaxResults=1)["NextToken"]

    with pytest.raises(Refused) as refused:
        wire.call("ListQueues", MaxResults=1, NextToken=token, QueueNamePrefix="a")

    assert refused.value.message == (
        "Invalid NextToken value. If you are passing in NextToken, you must not change the other request parameters."
    )


def test_sts_says_who_is_asking(cumulet: Cumulet) -> None:
    identity = cumulet.client("sts").get_caller_identity()

    assert (identity["Account"], identity["UserId"]) == (cumulet.account, cumulet.account)
    assert identity["Arn"] == f"arn:aws:iam::{cumulet.account}:root"


def test_queue_survives_a_restart_with_all_it_has(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Cumulet(tmp_path_factory.mktemp("restart") / "data") as server:
        queue = Queues(server).standard("orders", VisibilityTimeout="60")
        queue.sqs.tag_queue(QueueUrl=queue.url, Tags={"a": "1"})
        queue.send("in flight")
        [message] = queue.receive()
        queue.send("visible")
        server.stop()
        server.start()

        again = Queues(server).standard("orders", VisibilityTimeout="60")
        counts = again.counts()
        again.delete(message)

        assert counts == (1, 1, 0)
        assert again.counts() == (1, 0, 0)
        assert again.sqs.list_queue_tags(QueueUrl=again.url)["Tags"] == {"a": "1"}
