"""Insurance claims on a FIFO topic with an archive, told by the AWS CLI alone.

A claim that was processed is replayed to a queue that was not there when it came. Only the address of the server is
added to the commands. Signatures are checked, so without the queues' policy nothing would arrive.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cumulet.testing import Cumulet

CLAIM = '{ "claim_type": "collision", "registration": "AB123CDE" }'
SCRIPT = r"""
set -e -o pipefail
aws() { "$AWS" --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }
handle_of() { "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)["Messages"][0]["ReceiptHandle"])'; }
say() { printf '%s\n' "$1" "$2" "-- end"; }

# A topic, and two queues that it may write to.
TOPIC_ARN=$(aws sns create-topic --name "AutoInsuranceClaimsTopic.fifo" \
  --attributes "FifoTopic=true,ContentBasedDeduplication=true,DisplayName=Auto Insurance Claims Topic" \
  --output text --query 'TopicArn')
QUEUE_URL=$(aws sqs create-queue --queue-name "AutoInsuranceClaimsQueue.fifo" --attributes FifoQueue=true \
  --output text --query 'QueueUrl')
REPLAY_QUEUE_URL=$(aws sqs create-queue --queue-name "AutoInsuranceReplayQueue.fifo" --attributes FifoQueue=true \
  --output text --query 'QueueUrl')
QUEUE_ARN=$(aws sqs get-queue-attributes --queue-url "$QUEUE_URL" --attribute-names QueueArn \
  --output text --query 'Attributes.QueueArn')
REPLAY_QUEUE_ARN=$(aws sqs get-queue-attributes --queue-url "$REPLAY_QUEUE_URL" --attribute-names QueueArn \
  --output text --query 'Attributes.QueueArn')
POLICY='{"Version":"2012-10-17","Statement":[{"Sid":"1","Effect":"Allow","Principal":{"Service":"sns.amazonaws.com"},'
POLICY+='"Action":["sqs:SendMessage"],"Resource":["'$QUEUE_ARN'","'$REPLAY_QUEUE_ARN'"],'
POLICY+='"Condition":{"ArnLike":{"aws:SourceArn":["'$TOPIC_ARN'"]}}}]}'
QUOTED=${POLICY//\"/\\\"}
aws sqs set-queue-attributes --queue-url "$QUEUE_URL" --attributes file://<(echo '{"Policy":"'"$QUOTED"'"}')
aws sqs set-queue-attributes --queue-url "$REPLAY_QUEUE_URL" --attributes file://<(echo '{"Policy":"'"$QUOTED"'"}')

# The primary queue, and the archive.
aws sns subscribe --topic-arn "$TOPIC_ARN" --protocol sqs --notification-endpoint "$QUEUE_ARN" > /dev/null
aws sns set-topic-attributes --topic-arn "$TOPIC_ARN" --attribute-name ArchivePolicy \
  --attribute-value '{"MessageRetentionPeriod":"30"}'

# A claim comes, and is processed.
TIMESTAMP=$(date -u +%FT%T.000Z)
aws sns publish --topic-arn "$TOPIC_ARN" --message-group-id "group1" \
  --message '{ "claim_type": "collision", "registration": "AB123CDE" }' > /dev/null
RECEIVED=$(aws sqs receive-message --queue-url "$QUEUE_URL" --output json)
say claim "$RECEIVED"
HANDLE=$(handle_of <<< "$RECEIVED")
aws sqs delete-message --queue-url "$QUEUE_URL" --receipt-handle "$HANDLE"

# The replay queue gets it again.
POLICY='{"PointType":"Timestamp","StartingPoint":"'$TIMESTAMP'"}'
SUBSCRIPTION_ARN=$(aws sns subscribe --topic-arn "$TOPIC_ARN" --protocol sqs --return-subscription-arn \
  --notification-endpoint "$REPLAY_QUEUE_ARN" --attributes '{"ReplayPolicy":"'"${POLICY//\"/\\\"}"'"}' \
  --output text --query 'SubscriptionArn')
while [[ $(aws sns get-subscription-attributes --subscription-arn "$SUBSCRIPTION_ARN" --output text \
  | awk 'END{print $9}') != 'Completed' ]]; do printf "."; sleep 1; done
RECEIVED=$(aws sqs receive-message --queue-url "$REPLAY_QUEUE_URL" --output json)
say replayed "$RECEIVED"
HANDLE=$(handle_of <<< "$RECEIVED")
aws sqs delete-message --queue-url "$REPLAY_QUEUE_URL" --receipt-handle "$HANDLE"

# What comes now is for both.
aws sns publish --topic-arn "$TOPIC_ARN" --message-group-id "group1" --message "another claim" > /dev/null
say primary "$(aws sqs receive-message --queue-url "$QUEUE_URL" --output json)"
say both "$(aws sqs receive-message --queue-url "$REPLAY_QUEUE_URL" --output json)"

# The end: without its archive the topic can be deleted.
aws sns set-topic-attributes --topic-arn "$TOPIC_ARN" --attribute-name ArchivePolicy --attribute-value '{}'
aws sns delete-topic --topic-arn "$TOPIC_ARN"
say end "the topic is deleted"
"""


def claims(received: str) -> list[str]:
    """Return what was published, from an answer of ReceiveMessage."""
    return [json.loads(message["Body"])["Message"] for message in json.loads(received)["Messages"]]


def test_a_claim_is_replayed_by_the_command_line(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", clock="real", auth="enforce") as cumulet:
        lines = (cumulet.folder / "root-credentials").read_text().splitlines()
        key = {name.upper(): value for name, _, value in (line.partition(" = ") for line in lines) if value}
        variables = {"AWS": str(Path(sys.executable).with_name("aws")), "PYTHON": sys.executable, "HOME": str(tmp_path)}
        done = subprocess.run(
            ["bash", "-c", SCRIPT],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], **variables, **cumulet.environment(), **key},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    assert done.returncode == 0, done.stderr
    said = dict(part.strip().partition("\n")[::2] for part in done.stdout.split("-- end\n") if part)
    assert claims(said["claim"]) == claims(said["replayed"]) == [CLAIM]
    assert said["end"] == "the topic is deleted"
    assert claims(said["primary"]) == claims(said["both"]) == ["another claim"]
