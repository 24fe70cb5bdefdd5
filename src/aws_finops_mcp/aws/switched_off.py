"""What AWS refuses because the account's owner has not switched it on, which no IAM permission helps with."""

from __future__ import annotations

import re

OPT_IN_ADVISER = (
    "the account's owner opts in: Compute Optimizer console (API: compute-optimizer:UpdateEnrollmentStatus); it is "
    "free, and the first recommendations take about a day"
)

_SWITCHED_OFF = (
    (
        "trustedadvisor:",
        # AccessDeniedException like any other: only its message tells it apart. AWS Support's own API has a code.
        re.compile(r"support (level|plan)|Subscription ?Required|Subscription is required", re.IGNORECASE),
        "the Trusted Advisor API needs a support plan: Business Support+, Enterprise Support or Unified Operations "
        "(or Business and Enterprise On-Ramp, as long as AWS offers them). Without one, Cost Optimization Hub tells of "
        "most of the same for free: get_all_cost_optimization_recommendations",
    ),
    ("compute-optimizer:", re.compile(r"OptInRequired"), OPT_IN_ADVISER),
    (
        "ce:",
        re.compile(r"not enabled for cost explorer", re.IGNORECASE),
        "the account's owner opens Cost Explorer once in the Billing and Cost Management console, which switches it "
        "on; costs are there about a day later. A member account of an organisation also needs the management "
        "account's consent (Cost Management preferences, Linked account access)",
    ),
    (
        "ce:",
        re.compile(r"Hourly data.*opt-in only", re.IGNORECASE | re.DOTALL),
        "the management account's owner switches hours on: Billing and Cost Management console, Cost Management "
        "preferences, Cost Explorer, Hourly granularity (AWS bills it by usage record); until then, ask for DAILY",
    ),
)
"""IAM actions, what AWS answers, and what would help.

https://docs.aws.amazon.com/awssupport/latest/user/get-started-with-aws-trusted-advisor-api.html
https://docs.aws.amazon.com/compute-optimizer/latest/ug/getting-started.html
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-enable.html
https://docs.aws.amazon.com/cost-management/latest/userguide/ce-hourly.html"""


def remedy_of(action: str, error: str) -> str:
    """What the account's owner does so that `action` is answered; empty where `error` is none of these refusals."""
    for prefix, refusal, remedy in _SWITCHED_OFF:
        if action.startswith(prefix) and refusal.search(error):
            return remedy
    return ""
