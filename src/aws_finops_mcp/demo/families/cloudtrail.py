"""The truth about trails: five in a region at most, as AWS permits, those of other regions included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.families.charge import Charge
from aws_finops_mcp.demo.families.family import Case, Family, Metric
from aws_finops_mcp.demo.families.tags import tag_rows
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, EU, US
from aws_finops_mcp.findings import Verdict

COSTLY, OK = Verdict.COSTLY, Verdict.OK
_EVENTS_AN_HOUR: Final = 1000
_MONTH_USD: Final = _EVENTS_AN_HOUR * 730 * 0.00002


def _management(read_write: str) -> dict[str, Any]:
    selector = {"ReadWriteType": read_write, "IncludeManagementEvents": True, "DataResources": []}
    return {"EventSelectors": [{**selector, "ExcludeManagementEventSources": []}]}


def _data_only() -> dict[str, Any]:
    fields = [
        {"Field": "eventCategory", "Equals": ["Data"]},
        {"Field": "resources.type", "Equals": ["AWS::S3::Object"]},
    ]
    return {"AdvancedEventSelectors": [{"Name": "objects", "FieldSelectors": fields}]}


@dataclass(frozen=True)
class Trail:
    """One trail; without selectors it records all management events."""

    name: str
    home: str
    verdict: Verdict
    why: str
    everywhere: bool = False
    logging: bool = True
    days: int = 400
    group: bool = False
    usd: float | None = None
    selectors: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        return f"arn:aws:cloudtrail:{self.home}:{ACCOUNT_ID}:trail/{self.name}"

    @property
    def log_group(self) -> str:
        return f"/cloudtrail/{self.name}"

    def row(self) -> dict[str, Any]:
        """As DescribeTrails has it."""
        row: dict[str, Any] = {
            "Name": self.name,
            "TrailARN": self.arn,
            "S3BucketName": f"{self.name}-events",
            "HomeRegion": self.home,
            "IsMultiRegionTrail": self.everywhere,
            "IncludeGlobalServiceEvents": self.everywhere,
            "IsOrganizationTrail": False,
            "LogFileValidationEnabled": True,
            "HasCustomEventSelectors": bool(self.selectors),
            "HasInsightSelectors": False,
        }
        if self.group:
            arn = f"arn:aws:logs:{self.home}:{ACCOUNT_ID}:log-group:{self.log_group}:*"
            row["CloudWatchLogsLogGroupArn"] = arn
        return row


TRAILS: Final = (
    Trail("nw-main", US, Verdict.IN_USE, "of all regions: the first copy", everywhere=True, group=True),
    Trail("nw-app-team", US, COSTLY, "all of it again, and its log group tells how much", group=True, usd=_MONTH_USD),
    Trail("nw-successor", US, Verdict.TOO_NEW, "records since two days only", days=2),
    Trail("nw-objects", US, OK, "records data events only", selectors=_data_only()),
    Trail("nw-readers", EU, COSTLY, "of all regions, and reads what nw-main has read", everywhere=True,
          selectors=_management("ReadOnly")),
    # Of the name of one that is a duplicate in the other region.
    Trail("nw-app-team", EU, OK, "stopped", logging=False),
    Trail("nw-audit", EU, Verdict.EXEMPT, "tagged so", tags={"finops:exempt": "the auditors' own"}),
    Trail("nw-writes", EU, COSTLY, "its log group was not measured", group=True, selectors=_management("WriteOnly")),
)  # fmt: skip


def family(now: datetime) -> Family:
    """Trails, what they record, and how much one of them wrote to its log group."""
    listed = {region: [one.row() for one in TRAILS if one.everywhere or one.home == region] for region in (US, EU)}
    counted = Metric(
        US, "AWS/Logs", "IncomingLogEvents", {"LogGroupName": TRAILS[1].log_group}, _EVENTS_AN_HOUR, samples=None
    )
    return Family(
        rows=(tag_rows((one.home, one.arn, one.tags) for one in TRAILS if one.tags),),
        metrics=(counted,),
        operations={
            ("cloudtrail", "DescribeTrails"): lambda call: {"trailList": _asked_for(call, listed)},
            ("cloudtrail", "GetTrailStatus"): lambda call: _status(_trail(call, "Name"), now),
            ("cloudtrail", "GetEventSelectors"): lambda call: _selectors(_trail(call, "TrailName")),
        },
        # Of the copies only one is counted: each of the others records as much, in its region.
        charges=[
            Charge(one.home, one.arn, "cloudtrail.management_events", _EVENTS_AN_HOUR * 730, one.days, one.tags)
            for one in TRAILS
            if one.logging and one.verdict in (COSTLY, Verdict.EXEMPT)
        ],
        cases={"find_duplicate_cloudtrail_trails": [Case(t.arn, t.home, t.verdict, t.why, t.usd) for t in TRAILS]},
    )


def _asked_for(call: Call, listed: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    own = listed.get(call.region, []) if call.account == ACCOUNT_ID else []
    return [row for row in own if call.parameters.get("includeShadowTrails", True) or row["HomeRegion"] == call.region]


def _trail(call: Call, parameter: str) -> Trail:
    named = str(call.parameters[parameter])
    # A name is that of a trail made in the region; another region's is told by its ARN only.
    found = [one for one in TRAILS if one.arn == named or (one.name, one.home) == (named, call.region)]
    if not found or call.account != ACCOUNT_ID:
        raise AwsError("TrailNotFoundException", f"Unknown trail: {named} for the user: {call.account}")
    return found[0]


def _status(trail: Trail, now: datetime) -> dict[str, Any]:
    began = now - timedelta(days=trail.days)
    return {"IsLogging": trail.logging, "StartLoggingTime": began, "TimeLoggingStarted": f"{began:%Y-%m-%dT%H:%M:%SZ}"}


def _selectors(trail: Trail) -> dict[str, Any]:
    return {"TrailARN": trail.arn, **(trail.selectors or _management("All"))}
