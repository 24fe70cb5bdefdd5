"""What an account's owner has not switched on is told apart from what a policy denies."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from aws_finops_mcp.aws.failures import failed_read


def failure(action: str, code: str, message: str) -> tuple[str, str]:
    error = ClientError({"Error": {"Code": code, "Message": message}}, action.partition(":")[2])
    failed = failed_read(error, action=action, account="123456789012", region="us-east-1")
    return failed.kind, failed.remedy


@pytest.mark.parametrize(
    ("action", "code", "message", "wanted"),
    [
        ("ce:GetCostAndUsage", "AccessDeniedException", "User not enabled for cost explorer access", "Cost Explorer"),
        (
            "ce:GetCostAndUsage", "AccessDeniedException",
            "Hourly data granularity is an opt-in only feature. You can enable this feature from the PAYER account.",
            "Hourly granularity",
        ),
        ("trustedadvisor:ListRecommendations", "AccessDeniedException", "Access denied due to support level", "plan"),
        ("compute-optimizer:GetIdleRecommendations", "OptInRequiredException", "Not registered.", "UpdateEnrollment"),
    ],
)  # fmt: skip
def test_what_is_not_switched_on_says_who_switches_it_on(action: str, code: str, message: str, wanted: str) -> None:
    kind, remedy = failure(action, code, message)
    assert kind == "not_opted_in"
    assert wanted in remedy


@pytest.mark.parametrize(
    "action",
    [
        "ce:GetCostAndUsage",
        "trustedadvisor:ListRecommendations",
        "compute-optimizer:GetIdleRecommendations",
        "ec2:DescribeVolumes",
    ],
)
def test_a_policy_s_denial_stays_one(action: str) -> None:
    message = f"User: arn:aws:iam::123456789012:user/support is not authorized to perform: {action}"
    assert failure(action, "AccessDeniedException", message) == (
        "denied", f"allow the IAM action {action} for the server's role",
    )  # fmt: skip


def test_one_service_s_words_mean_nothing_of_another_s() -> None:
    assert failure("ec2:DescribeVolumes", "OptInRequired", "You are not subscribed to this service.")[0] == "denied"
    assert failure("ec2:DescribeVolumes", "UnauthorizedOperation", "no support plan")[0] == "denied"
