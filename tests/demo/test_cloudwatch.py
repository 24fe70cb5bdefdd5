"""CloudWatch's limits, its exact dimensions and its memory."""

from __future__ import annotations

import sys
import time
from array import array
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.double.metrics import NO_DATAPOINT, Key, Series

HOUR = 3600
DAY = 24 * HOUR
REGION = "ca-central-1"
NOW = int(time.time()) // HOUR * HOUR


@pytest.fixture(autouse=True)
def this_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test starts at its own hour: a long run collects its tests an hour before it ends."""
    monkeypatch.setattr(sys.modules[__name__], "NOW", int(time.time()) // HOUR * HOUR)


def define(
    account: EmbeddedAccount, name: str, values: list[float], step: int = HOUR, dimensions: Any = None, **kinds: Any
) -> None:
    """A series that ends now."""
    where = frozenset((dimensions or {"Id": "one"}).items())
    series = Series(NOW - len(values) * step, step, array("d", values), **kinds)
    account.metrics.define(Key(account.account_id, REGION, "Tests", name, where), series)


def query(name: str, number: int = 0, period: int = HOUR, stat: str = "Sum", dimensions: Any = None) -> dict[str, Any]:
    pairs = [{"Name": key, "Value": value} for key, value in (dimensions or {"Id": "one"}).items()]
    metric = {"Namespace": "Tests", "MetricName": name, "Dimensions": pairs}
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def when(ago: int) -> datetime:
    return datetime.fromtimestamp(NOW - ago, UTC)


def ask(client: MakeClient, queries: list[dict[str, Any]], ago: int = DAY, until: int = 0, **more: Any) -> Any:
    return client("cloudwatch", REGION).get_metric_data(
        StartTime=when(ago), EndTime=when(until), MetricDataQueries=queries, **more
    )


def code(refused: pytest.ExceptionInfo[ClientError]) -> str:
    return str(refused.value.response["Error"]["Code"])


def test_dimensions_match_exactly(client: MakeClient, account: EmbeddedAccount) -> None:
    define(account, "exact", [1.0] * 24, dimensions={"InstanceId": "i-1", "path": "/"})
    for wrong in ({"InstanceId": "i-1"}, {"InstanceId": "i-1", "path": "/", "fstype": "xfs"}):
        assert ask(client, [query("exact", dimensions=wrong)])["MetricDataResults"][0]["Values"] == []
        pairs = [{"Name": key, "Value": value} for key, value in wrong.items()]
        statistics = client("cloudwatch", REGION).get_metric_statistics(
            Namespace="Tests", MetricName="exact", Dimensions=pairs, StartTime=when(DAY), EndTime=when(0),
            Period=HOUR, Statistics=["Sum"],
        )  # fmt: skip
        assert statistics["Datapoints"] == []
    right = ask(client, [query("exact", dimensions={"path": "/", "InstanceId": "i-1"})])
    assert sum(right["MetricDataResults"][0]["Values"]) == 24


def test_zero_and_nothing_are_different(client: MakeClient, account: EmbeddedAccount) -> None:
    define(account, "zeros", [0.0] * 48, samples=60)
    define(account, "gaps", [5.0, NO_DATAPOINT, 7.0] + [NO_DATAPOINT] * 21)
    zeros, gaps, unknown = ask(
        client, [query("zeros", 0), query("gaps", 1), query("never-published", 2)], ScanBy="TimestampAscending"
    )["MetricDataResults"]
    assert zeros["Values"] == [0.0] * 24
    assert gaps["Values"] == [5.0, 7.0]
    assert [stamp.timestamp() for stamp in gaps["Timestamps"]] == [NOW - 24 * HOUR, NOW - 22 * HOUR]
    assert (unknown["Values"], unknown["StatusCode"]) == ([], "Complete")


def test_statistics_and_order(client: MakeClient, account: EmbeddedAccount) -> None:
    define(account, "gauge", [60.0, 120.0, 240.0, 0.0], samples=60, peak=2.0, unit="Percent")
    stats = ["Sum", "SampleCount", "Average", "Minimum", "Maximum"]
    results = ask(client, [query("gauge", n, 4 * HOUR, stat) for n, stat in enumerate(stats)], 4 * HOUR)
    found = {stat: one["Values"] for stat, one in zip(stats, results["MetricDataResults"], strict=True)}
    assert found == {"Sum": [420.0], "SampleCount": [240.0], "Average": [1.75], "Minimum": [0.0], "Maximum": [8.0]}
    newest_first = ask(client, [query("gauge")], 4 * HOUR)["MetricDataResults"][0]["Values"]
    assert newest_first == [0.0, 240.0, 120.0, 60.0], "the default order is newest first"
    oldest_first = ask(client, [query("gauge")], 4 * HOUR, ScanBy="TimestampAscending")["MetricDataResults"][0]
    assert oldest_first["Values"] == [60.0, 120.0, 240.0, 0.0]
    percentile = ask(client, [query("gauge", stat="p90")], 4 * HOUR)["MetricDataResults"][0]
    assert len(percentile["Values"]) == 4


def test_old_fine_data_is_forgotten(client: MakeClient, account: EmbeddedAccount) -> None:
    define(account, "long", [1.0] * (500 * 24))
    by_hour = ask(client, [query("long")], 460 * DAY, 450 * DAY)["MetricDataResults"][0]["Values"]
    assert len(by_hour) == pytest.approx(5 * 24, abs=2), "hourly data is kept for 455 days"
    by_day = ask(client, [query("long", period=DAY)], 490 * DAY, 480 * DAY)["MetricDataResults"][0]["Values"]
    assert by_day == [], "nothing is kept longer"
    for period, kept in ((60, 15), (300, 63)):
        found = ask(client, [query("long", period=period)], (kept + 2) * DAY, (kept - 2) * DAY)
        oldest = min(stamp.timestamp() for stamp in found["MetricDataResults"][0]["Timestamps"])
        assert NOW - oldest <= kept * DAY
        assert NOW - oldest >= kept * DAY - 2 * HOUR


def test_what_goes_beyond_the_limits_is_refused(client: MakeClient, account: EmbeddedAccount) -> None:
    define(account, "some", [1.0] * 24)
    refusals = (
        {"queries": [query("some", number) for number in range(501)]},
        {"queries": [query("some")], "MaxDatapoints": 100_801},
        {"queries": [query("some")], "ago": 0, "until": DAY},
        {"queries": [query("some", 1), query("some", 1)]},
        {"queries": [query("some", period=90)]},
        {"queries": [query("some", stat="Mean")]},
        {"queries": [{"Id": "e", "Expression": "SEARCH('x', 'Sum')"}]},
        {"queries": [{**query("some"), "Id": "Upper"}]},
    )
    for refusal in refusals:
        with pytest.raises(ClientError) as refused:
            ask(client, **refusal)
        assert code(refused) == "ValidationError", refusal
    assert len(ask(client, [query("some", number) for number in range(500)])["MetricDataResults"]) == 500
    with pytest.raises(ClientError) as refused:
        client("cloudwatch", REGION).get_metric_statistics(
            Namespace="Tests", MetricName="some", StartTime=when(61 * DAY), EndTime=when(0), Period=HOUR,
            Statistics=["Sum"],
        )  # fmt: skip
    assert code(refused) == "InvalidParameterCombination", "1,464 datapoints are more than 1,440"


def test_datapoints_come_in_pages(client: MakeClient, account: EmbeddedAccount) -> None:
    for name in ("first", "second"):
        define(account, name, [float(number) for number in range(24)])
    queries = [query("first", 0), query("none", 1), query("second", 2)]
    pages: list[Any] = []
    token: dict[str, Any] = {}
    while not pages or token:
        page = ask(client, queries, MaxDatapoints=18, ScanBy="TimestampAscending", **token)
        pages.append(page["MetricDataResults"])
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else {}
    assert [sum(len(one["Values"]) for one in page) for page in pages] == [18, 18, 12]
    statuses = [{one["Id"]: one["StatusCode"] for one in page} for page in pages]
    assert statuses[0] == {"q0": "PartialData", "q1": "Complete"}
    assert statuses[1] == {"q0": "Complete", "q2": "PartialData"}
    assert statuses[2] == {"q2": "Complete"}
    for name in ("q0", "q2"):
        values = [value for page in pages for one in page if one["Id"] == name for value in one["Values"]]
        assert values == [float(number) for number in range(24)]
    with pytest.raises(ClientError) as refused:
        ask(client, queries, NextToken="made-up")
    assert code(refused) == "InvalidNextToken"


def test_what_is_put_can_be_got(client: MakeClient) -> None:
    cloudwatch = client("cloudwatch", REGION)
    data = [
        {
            "MetricName": "put",
            "Dimensions": [{"Name": "Id", "Value": "one"}],
            "Timestamp": when(HOUR),
            "Value": 3.0,
        },
        {
            "MetricName": "put",
            "Dimensions": [{"Name": "Id", "Value": "one"}],
            "Timestamp": when(HOUR),
            "Value": 5.0,
        },
    ]
    cloudwatch.put_metric_data(Namespace="Tests", MetricData=data)
    assert ask(client, [query("put")])["MetricDataResults"][0]["Values"] == [8.0]
    assert ask(client, [query("put", stat="Maximum")])["MetricDataResults"][0]["Values"] == [5.0]
    listed = cloudwatch.list_metrics(Namespace="Tests", MetricName="put", RecentlyActive="PT3H")["Metrics"]
    assert listed == [{"Namespace": "Tests", "MetricName": "put", "Dimensions": [{"Name": "Id", "Value": "one"}]}]


def test_a_full_request_is_answered_quickly(client: MakeClient, account: EmbeddedAccount) -> None:
    """500 metrics over 90 days; moto takes seconds. Only its own processor time counts."""
    for number in range(500):
        define(account, "fast", [1.0] * (90 * 24), dimensions={"Id": str(number)})
    queries = [query("fast", number, DAY, dimensions={"Id": str(number)}) for number in range(500)]
    begun = time.process_time()
    found = ask(client, queries, 90 * DAY)
    assert time.process_time() - begun < 5
    assert {sum(one["Values"]) for one in found["MetricDataResults"]} == {90 * 24.0}


def test_start_and_end(client: MakeClient, account: EmbeddedAccount) -> None:
    """The end is exclusive, and nothing lies in the future."""
    define(account, "ends", [1.0] * 24)
    assert len(ask(client, [query("ends")], 4 * HOUR, 2 * HOUR)["MetricDataResults"][0]["Values"]) == 2
    future = timedelta(days=2)
    answer = client("cloudwatch", REGION).get_metric_data(
        StartTime=when(2 * HOUR), EndTime=when(0) + future, MetricDataQueries=[query("ends")]
    )
    assert len(answer["MetricDataResults"][0]["Values"]) == 2


def test_what_was_measured_after_the_end_is_not_told() -> None:
    """The last period is cut short by the end; what of it lies behind it is neither counted nor taken off again."""
    series = Series(NOW - 48 * HOUR, HOUR, array("d", [1.0] * 48))
    told = list(series.buckets(NOW - 30 * HOUR, NOW - 2 * HOUR, DAY, extremes=False))
    assert [(when, found.total) for when, found in told] == [(NOW - 30 * HOUR, 24.0), (NOW - 6 * HOUR, 4.0)]
