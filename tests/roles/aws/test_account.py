"""The role aws: where the others work, and what is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest
from tests.roles.aws.deployment import Deployment, picture

ACCOUNT = "123456789012"


def test_it_changes_nothing(aws: Deployment) -> None:
    done = aws.play("aws.yml", "--tags", "always", aws_estimate_enabled=True).must_pass()
    assert done.changed == []


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"aws_region": "eu-wst-1"}, ["aws_region: 'eu-wst-1' is no region of AWS; did you mean eu-west-1"]),
        (
            {
                "aws_partition": "aws-cn",
                "aws_name": "Finops",
                "aws_account_id": "12345",
                "aws_permissions_boundary": "arn:aws-cn:iam::123456789012:policy/edge",
                "aws_tags": {"aws-finops-mcp:deployment": "other"},
            },
            [
                'aws_partition: got "aws-cn"; eu-west-1 is of the partition aws',
                'aws_name: got "Finops"; 2 to 32 small letters',
                'aws_account_id: got "12345"; 12 digits',
                "the ARN of a policy, arn:aws:iam::123456789012:policy/name",
                "is set by aws_name alone",
            ],
        ),
        ({"aws_tags": {"team": 7}}, ["values are strings"]),
        ({"aws_account_id": "999999999999"}, ["999999999999 is meant, but the credentials are arn:aws:"]),
        ({"aws_region": "ap-east-1"}, ["has not enabled ap-east-1"]),
    ],
    ids=["no-region", "variables", "tags", "another-account", "disabled-region"],
)
def test_what_is_not_meant_is_refused(aws: Deployment, wrong: dict[str, Any], told: list[str]) -> None:
    done = aws.play("aws.yml", "--tags", "always", **wrong)
    assert done.returncode != 0
    for one in told:
        assert one in done.refusals


READING = ("Describe", "Get", "List", "BatchGet", "Assume", "Head")


def grouped(image: str) -> dict[str, Any]:
    """The variables of a group of hosts."""
    return {"aws_auto_scaling_enabled": True, "aws_auto_scaling_image_id": image}


@pytest.mark.parametrize("name", ["single", "production", "enterprise"])
def test_check_mode_in_an_empty_account_tells_of_the_whole_picture_and_makes_nothing(
    aws: Deployment, name: str
) -> None:
    image = aws.client("ec2").describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    aws.account.ask("calls.reset")
    more = {} if name == "single" else grouped(image)
    done = aws.play("aws.yml", "--check", **(picture(name) | more)).must_pass()
    assert {task.partition(" : ")[0] for task in done.changed} >= {
        *("aws_network", "aws_identity", "aws_instance", "aws_stack")
    }
    called = aws.account.ask("calls.by_action")
    assert called
    assert not [action for action in called if not action.partition(":")[2].startswith(READING)]


def test_an_image_that_there_is_not_is_refused(aws: Deployment) -> None:
    wanted = picture("production") | grouped("ami-0123456789abcdef0")
    done = aws.play("aws.yml", "--check", "--tags", "auto_scaling", **wanted)
    assert "eu-west-1 has no image ami-0123456789abcdef0 that the account" in done.refusals
