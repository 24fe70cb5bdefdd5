"""What moto lacks: every answer fits botocore's model, pages, and agrees with the company's resources and money."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from tests.demo.conftest import MakeClient

from aws_finops_mcp.demo import billed, bills, company, inventory
from aws_finops_mcp.demo.account import EmbeddedAccount
from aws_finops_mcp.demo.answers import table
from aws_finops_mcp.demo.answers.company import Company
from aws_finops_mcp.demo.double.model_check import violations
from aws_finops_mcp.demo.inventory import ACCOUNT_ID

NOW = datetime.now(UTC)
TODAY = NOW.date()
THIS_MONTH = TODAY.replace(day=1)
LAST_MONTH = (THIS_MONTH - timedelta(days=1)).replace(day=1)
BEFORE = (LAST_MONTH - timedelta(days=1)).replace(day=1)
PERIOD = {"Start": str(LAST_MONTH), "End": str(THIS_MONTH)}
FORTNIGHT = {"Start": str(TODAY - timedelta(days=14)), "End": str(TODAY)}
AHEAD = {"Start": str(TODAY), "End": str(TODAY + timedelta(days=30))}
COMPUTE_ONLY = {"Dimensions": {"Key": "SERVICE", "Values": [bills.COMPUTE]}}
MONTHS = {
    "BaselineTimePeriod": {"Start": str(BEFORE), "End": str(LAST_MONTH)},
    "ComparisonTimePeriod": PERIOD,
    "MetricForComparison": "UnblendedCost",
}
BY_RESOURCE = [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}]
BY_TYPE = [{"Type": "DIMENSION", "Key": "INSTANCE_TYPE"}]
PLAN = {"TermInYears": "ONE_YEAR", "PaymentOption": "NO_UPFRONT", "LookbackPeriodInDays": "THIRTY_DAYS"}

CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("budgets", "DescribeBudget", {"AccountId": ACCOUNT_ID, "BudgetName": "company-total"}),
    ("budgets", "DescribeBudgetPerformanceHistory", {"AccountId": ACCOUNT_ID, "BudgetName": "lambda"}),
    ("budgets", "DescribeBudgets", {"AccountId": ACCOUNT_ID}),
    ("ce", "GetAnomalies", {"DateInterval": {"StartDate": str(TODAY - timedelta(days=60))}}),
    ("ce", "GetAnomalyMonitors", {}),
    ("ce", "GetAnomalySubscriptions", {}),
    ("ce", "GetCostAndUsageComparisons", MONTHS),
    ("ce", "GetCostAndUsageWithResources", {
        "TimePeriod": FORTNIGHT, "Granularity": "DAILY", "Filter": COMPUTE_ONLY, "GroupBy": BY_RESOURCE,
    }),
    ("ce", "GetCostCategories", {"TimePeriod": PERIOD}),
    ("ce", "GetCostComparisonDrivers", MONTHS),
    ("ce", "GetCostForecast", {"TimePeriod": AHEAD, "Metric": "UNBLENDED_COST", "Granularity": "DAILY"}),
    ("ce", "GetDimensionValues", {"TimePeriod": PERIOD, "Dimension": "SERVICE"}),
    ("ce", "GetReservationCoverage", {"TimePeriod": PERIOD, "GroupBy": BY_TYPE}),
    ("ce", "GetReservationPurchaseRecommendation", {"Service": "Amazon Relational Database Service"}),
    ("ce", "GetReservationUtilization", {
        "TimePeriod": PERIOD, "GroupBy": [{"Type": "DIMENSION", "Key": "SUBSCRIPTION_ID"}],
    }),
    ("ce", "GetRightsizingRecommendation", {"Service": "AmazonEC2"}),
    ("ce", "GetSavingsPlansCoverage", {"TimePeriod": PERIOD, "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}]}),
    ("ce", "GetSavingsPlansPurchaseRecommendation", {"SavingsPlansType": "COMPUTE_SP", **PLAN}),
    ("ce", "GetSavingsPlansUtilization", {"TimePeriod": PERIOD, "Granularity": "DAILY"}),
    ("ce", "GetSavingsPlansUtilizationDetails", {"TimePeriod": PERIOD}),
    ("ce", "GetTags", {"TimePeriod": PERIOD}),
    ("ce", "GetUsageForecast", {
        "TimePeriod": AHEAD, "Metric": "USAGE_QUANTITY", "Granularity": "MONTHLY", "Filter": COMPUTE_ONLY,
    }),
    ("ce", "ListCostAllocationTags", {}),
    ("compute-optimizer", "GetAutoScalingGroupRecommendations", {}),
    ("compute-optimizer", "GetEBSVolumeRecommendations", {}),
    ("compute-optimizer", "GetEC2InstanceRecommendations", {}),
    ("compute-optimizer", "GetECSServiceRecommendations", {}),
    ("compute-optimizer", "GetEnrollmentStatus", {}),
    ("compute-optimizer", "GetIdleRecommendations", {}),
    ("compute-optimizer", "GetLambdaFunctionRecommendations", {}),
    ("compute-optimizer", "GetLicenseRecommendations", {}),
    ("compute-optimizer", "GetRDSDatabaseRecommendations", {}),
    ("compute-optimizer", "GetRecommendationSummaries", {}),
    ("cost-optimization-hub", "GetRecommendation", {"recommendationId": "first"}),
    ("cost-optimization-hub", "ListEnrollmentStatuses", {}),
    ("cost-optimization-hub", "ListRecommendationSummaries", {"groupBy": "ActionType"}),
    ("cost-optimization-hub", "ListRecommendations", {}),
    ("ec2", "DescribeReservedInstances", {}),
    ("eks", "DescribeClusterVersions", {}),
    ("elasticache", "DescribeCacheEngineVersions", {}),
    ("elasticache", "DescribeReservedCacheNodes", {}),
    ("memorydb", "DescribeReservedNodes", {}),
    ("opensearch", "DescribeReservedInstances", {}),
    ("rds", "DescribeDBEngineVersions", {"Engine": "postgres"}),
    ("rds", "DescribeDBMajorEngineVersions", {}),
    ("rds", "DescribeReservedDBInstances", {}),
    ("redshift", "DescribeReservedNodes", {}),
    ("savingsplans", "DescribeSavingsPlans", {}),
    ("savingsplans", "DescribeSavingsPlansOfferingRates", {}),
    ("trustedadvisor", "ListRecommendationResources", {"recommendationIdentifier": "first"}),
    ("trustedadvisor", "ListRecommendations", {"pillar": "cost_optimizing"}),
]  # fmt: skip
# The company has reserved no caches.
EMPTY = {("elasticache", "DescribeReservedCacheNodes"), ("memorydb", "DescribeReservedNodes")}


@pytest.mark.parametrize(("service", "operation", "arguments"), CALLS)
def test_answers_fit_the_model(client: MakeClient, service: str, operation: str, arguments: dict[str, Any]) -> None:
    if arguments.get("recommendationId") == "first":
        rows = client("cost-optimization-hub").list_recommendations()["items"]
        arguments = {"recommendationId": rows[0]["recommendationId"]}
    if arguments.get("recommendationIdentifier") == "first":
        rows = client("trustedadvisor").list_recommendations()["recommendationSummaries"]
        arguments = {"recommendationIdentifier": rows[0]["arn"]}
    answer = client(service)._make_api_call(operation, arguments)
    answer.pop("ResponseMetadata")
    model = botocore.session.get_session().get_service_model(service)
    assert violations(answer, model.operation_model(operation).output_shape) == []
    assert any(answer.values()) is ((service, operation) not in EMPTY)


def test_every_operation_of_the_table_is_tried_and_exists() -> None:
    answered = set(table.operations(Company(billed.no_bills(), dict, seeded=False)))
    assert {(service, operation) for service, operation, _ in CALLS} == answered
    for service, operation in answered:
        assert operation in botocore.session.get_session().get_service_model(service).operation_names


def costs(client: MakeClient, **more: Any) -> dict[tuple[str, ...], Decimal]:
    arguments = {"TimePeriod": PERIOD, "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"], **more}
    (result,) = client("ce").get_cost_and_usage(**arguments)["ResultsByTime"]
    if not more.get("GroupBy"):
        return {(): Decimal(result["Total"]["UnblendedCost"]["Amount"])}
    return {tuple(one["Keys"]): Decimal(one["Metrics"]["UnblendedCost"]["Amount"]) for one in result["Groups"]}


def test_tags_and_cost_categories_split_the_bill(client: MakeClient) -> None:
    (whole,) = costs(client).values()
    teams = costs(client, GroupBy=[{"Type": "TAG", "Key": "Team"}])
    units = costs(client, GroupBy=[{"Type": "COST_CATEGORY", "Key": "Business unit"}])
    assert sum(teams.values()) == sum(units.values()) == whole
    assert set(teams) == {("Team$",), *((f"Team${team}",) for team in inventory.TEAMS)}
    assert units[("Business unit$Shop",)] == teams[("Team$checkout",)] + teams[("Team$catalog",)]
    assert units[("Business unit$Unallocated",)] == teams[("Team$",)] > 0
    checkout = {"Tags": {"Key": "Team", "Values": ["checkout"]}}
    assert costs(client, Filter=checkout) == {(): teams[("Team$checkout",)]}
    untagged = {"Tags": {"Key": "Team", "MatchOptions": ["ABSENT"]}}
    assert costs(client, Filter=untagged) == {(): teams[("Team$",)]}
    shop = {"CostCategories": {"Key": "Business unit", "Values": ["Shop"]}}
    assert costs(client, Filter={"And": [shop, {"Not": checkout}]}) == {(): teams[("Team$catalog",)]}
    tags = client("ce").get_tags(TimePeriod=PERIOD, TagKey="Team")["Tags"]
    assert {f"Team${tag}" for tag in tags} == {key for (key,) in teams}
    names = client("ce").get_cost_categories(TimePeriod=PERIOD)["CostCategoryNames"]
    assert names == ["Business unit"]


def test_dimension_values_page_and_search(client: MakeClient) -> None:
    ce = client("ce")
    whole = ce.get_dimension_values(TimePeriod=PERIOD, Dimension="USAGE_TYPE")
    assert whole["TotalSize"] == whole["ReturnSize"] == len(whole["DimensionValues"]) > 30
    first = ce.get_dimension_values(TimePeriod=PERIOD, Dimension="USAGE_TYPE", MaxResults=20)
    rest = ce.get_dimension_values(
        TimePeriod=PERIOD, Dimension="USAGE_TYPE", MaxResults=1000, NextPageToken=first["NextPageToken"]
    )
    assert [*first["DimensionValues"], *rest["DimensionValues"]] == whole["DimensionValues"]
    found = ce.get_dimension_values(TimePeriod=PERIOD, Dimension="USAGE_TYPE", SearchString="natgateway")
    names = {f"{region}NatGateway-{what}" for region in ("", "EU-") for what in ("Bytes", "Hours")}
    assert {one["Value"] for one in found["DimensionValues"]} == names
    with pytest.raises(ClientError, match="InvalidNextToken"):
        ce.get_dimension_values(TimePeriod=PERIOD, Dimension="SERVICE", NextPageToken=first["NextPageToken"])


def test_costs_of_resources_add_up_to_the_bill(client: MakeClient, account: EmbeddedAccount) -> None:
    def totals(operation: str, **more: Any) -> dict[str, Decimal]:
        arguments = {"TimePeriod": FORTNIGHT, "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **more}
        sums: dict[str, Decimal] = {}
        for result in getattr(client("ce"), operation)(**arguments)["ResultsByTime"]:
            for one in result["Groups"]:
                amount = Decimal(one["Metrics"]["UnblendedCost"]["Amount"])
                sums[one["Keys"][0]] = sums.get(one["Keys"][0], Decimal(0)) + amount
        return sums

    by_service = totals("get_cost_and_usage", GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}])
    for service in (bills.COMPUTE, bills.EC2_OTHER, bills.LAMBDA):
        only = {"Dimensions": {"Key": "SERVICE", "Values": [service]}}
        parts = totals("get_cost_and_usage_with_resources", Filter=only, GroupBy=BY_RESOURCE)
        assert sum(parts.values()) == by_service[service]
        assert len(parts) > 5
    volumes = totals(
        "get_cost_and_usage_with_resources", GroupBy=BY_RESOURCE,
        Filter={"Dimensions": {"Key": "SERVICE", "Values": [bills.EC2_OTHER]}},
    )  # fmt: skip
    expected = company.expected_idle("volumes")["old-reports"] / 730 * 24 * 14
    assert float(volumes[account.ids["old-reports"]]) == pytest.approx(expected, rel=0.001)
    with pytest.raises(ClientError, match="last 14 days"):
        client("ce").get_cost_and_usage_with_resources(
            TimePeriod=PERIOD, Granularity="DAILY", Filter=COMPUTE_ONLY, GroupBy=BY_RESOURCE
        )


def test_forecasts_go_on_as_the_bill_goes(client: MakeClient) -> None:
    ce = client("ce")
    found = ce.get_cost_forecast(TimePeriod=AHEAD, Metric="UNBLENDED_COST", Granularity="DAILY")
    days = found["ForecastResultsByTime"]
    assert len(days) == 30
    assert sum(Decimal(day["MeanValue"]) for day in days) == pytest.approx(Decimal(found["Total"]["Amount"]))
    for day in days:
        lower, upper = (day[f"PredictionInterval{bound}Bound"] for bound in ("Lower", "Upper"))
        assert Decimal(lower) < Decimal(day["MeanValue"]) < Decimal(upper)
    month = {"Start": str(TODAY - timedelta(days=30)), "End": str(TODAY)}
    past = ce.get_cost_and_usage(
        TimePeriod=month, Granularity="DAILY", Metrics=["UnblendedCost"],
        Filter={"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Credit", "Refund", "Tax", "RIFee"]}}},
    )["ResultsByTime"]  # fmt: skip
    spent = sum(Decimal(day["Total"]["UnblendedCost"]["Amount"]) for day in past)
    assert Decimal(found["Total"]["Amount"]) == pytest.approx(spent, rel=Decimal("0.1"))
    for period, message in (
        ({"Start": str(TODAY - timedelta(days=1)), "End": str(TODAY + timedelta(days=3))}, "past"),
        ({"Start": str(TODAY), "End": str(TODAY + timedelta(days=200))}, "reaches 93 days"),
    ):
        with pytest.raises(ClientError, match=message):
            ce.get_cost_forecast(TimePeriod=period, Metric="UNBLENDED_COST", Granularity="DAILY")


def test_advisers_agree_with_the_truth_and_with_each_other(client: MakeClient, account: EmbeddedAccount) -> None:
    rows = client("cost-optimization-hub").list_recommendations()["items"]
    savings = {one["resourceId"]: one["estimatedMonthlySavings"] for one in rows if "resourceId" in one}
    assert [one["estimatedMonthlySavings"] for one in rows] == sorted(
        (one["estimatedMonthlySavings"] for one in rows), reverse=True
    )
    for kind in ("volumes", "nat_gateways"):
        for name, usd in company.expected_idle(kind).items():
            assert savings[account.ids[name]] == pytest.approx(usd, abs=0.001)
    idle = {
        one["resourceId"]: one["savingsOpportunity"]["estimatedMonthlySavings"]["value"]
        for region in inventory.REGIONS
        for one in client("compute-optimizer", region).get_idle_recommendations()["idleRecommendations"]
    }
    assert idle == {resource: usd for resource, usd in savings.items() if resource in idle}
    assert len(idle) == 10
    modified = client("ce").get_rightsizing_recommendation(Service="AmazonEC2")["RightsizingRecommendations"]
    for one in modified:
        (target,) = one["ModifyRecommendationDetail"]["TargetInstances"]
        assert float(target["EstimatedMonthlySavings"]) == pytest.approx(savings[one["CurrentInstance"]["ResourceId"]])
    summary = client("cost-optimization-hub").list_recommendation_summaries(groupBy="ResourceType")
    assert summary["estimatedTotalDedupedSavings"] == pytest.approx(sum(one["estimatedMonthlySavings"] for one in rows))
    assert sum(one["recommendationCount"] for one in summary["items"]) == len(rows)
    deletions = client("cost-optimization-hub").list_recommendations(filter={"actionTypes": ["Delete"]})["items"]
    assert {one["actionType"] for one in deletions} == {"Delete"}
    pages = client("cost-optimization-hub").get_paginator("list_recommendations").paginate(
        PaginationConfig={"PageSize": 7}
    )  # fmt: skip
    assert [one["recommendationId"] for page in pages for one in page["items"]] == [
        one["recommendationId"] for one in rows
    ]


def test_trusted_advisor_agrees_with_the_truth_and_with_the_hub(client: MakeClient, account: EmbeddedAccount) -> None:
    advisor = client("trustedadvisor")
    found = {one["name"]: one for one in advisor.list_recommendations()["recommendationSummaries"]}

    def saving(name: str) -> float:
        told = found[name]["pillarSpecificAggregates"]["costOptimizing"]["estimatedMonthlySavings"]
        assert isinstance(told, float)
        return told

    for kind, name in (
        ("addresses", "Unassociated Elastic IP Addresses"),
        ("volumes", "Underutilized Amazon EBS Volumes"),
    ):
        idle = company.expected_idle(kind)
        assert saving(name) == pytest.approx(sum(idle.values()))
        rows = advisor.list_recommendation_resources(recommendationIdentifier=found[name]["arn"])
        named = {one["awsResourceId"] for one in rows["recommendationResourceSummaries"]}
        assert named == {account.ids[one] for one in idle}
    (hub,) = [one for one in found.values() if one["source"] == "cost_optimization_hub"]
    rows = client("cost-optimization-hub").list_recommendations(filter={"resourceTypes": ["Ec2Instance"]})["items"]
    assert saving(hub["name"]) == pytest.approx(sum(one["estimatedMonthlySavings"] for one in rows))
    passed = advisor.list_recommendations(status="ok")["recommendationSummaries"]
    assert [one["resourcesAggregates"]["warningCount"] for one in passed] == [0]


def test_compute_optimizer_pages(client: MakeClient) -> None:
    optimizer = client("compute-optimizer")
    whole = optimizer.get_ec2_instance_recommendations()["instanceRecommendations"]
    first = optimizer.get_ec2_instance_recommendations(maxResults=4)
    rest = optimizer.get_ec2_instance_recommendations(maxResults=100, nextToken=first["nextToken"])
    assert [*first["instanceRecommendations"], *rest["instanceRecommendations"]] == whole
    running = [one for one in inventory.INSTANCES if one.region == inventory.US and one.stopped_days is None]
    assert len(whole) == len(running)
    over = optimizer.get_ec2_instance_recommendations(filters=[{"name": "Finding", "values": ["Overprovisioned"]}])
    assert {one["instanceName"] for one in over["instanceRecommendations"]} == {"etl-worker", "warehouse-sync"}


def test_commitments_follow_from_the_bill(client: MakeClient) -> None:
    ce = client("ce")
    types = costs(client, GroupBy=[{"Type": "DIMENSION", "Key": "RECORD_TYPE"}])
    plan = ce.get_savings_plans_utilization(TimePeriod=PERIOD)["Total"]
    recurring = Decimal(plan["AmortizedCommitment"]["AmortizedRecurringCommitment"])
    assert recurring == types[("SavingsPlanRecurringFee",)]
    assert Decimal(plan["Savings"]["OnDemandCostEquivalent"]) == types[("SavingsPlanCoveredUsage",)]
    assert Decimal(plan["Utilization"]["UtilizationPercentage"]) == pytest.approx(Decimal(100), abs=Decimal("0.01"))
    (own,) = client("savingsplans").describe_savings_plans()["savingsPlans"]
    days = (THIS_MONTH - LAST_MONTH).days
    assert float(own["recurringPaymentAmount"]) * 24 * days == pytest.approx(float(recurring))
    details = ce.get_savings_plans_utilization_details(TimePeriod=PERIOD)["SavingsPlansUtilizationDetails"]
    assert [one["SavingsPlanArn"] for one in details] == [own["savingsPlanArn"]]
    (covered,) = ce.get_savings_plans_coverage(TimePeriod=PERIOD)["SavingsPlansCoverages"]
    assert 0 < float(covered["Coverage"]["CoveragePercentage"]) < 100
    reserved = ce.get_reservation_utilization(TimePeriod=PERIOD)["Total"]
    assert float(reserved["PurchasedHours"]) == 24 * days
    assert float(reserved["TotalAmortizedFee"]) == pytest.approx(float(types[("RIFee",)]))
    active = [
        one for one in client("ec2").describe_reserved_instances()["ReservedInstances"] if one["State"] == "active"
    ]
    assert [one["InstanceType"] for one in active] == [bills.RESERVED_TYPE]
    assert timedelta(0) < active[0]["End"] - NOW < timedelta(days=90), "it runs out soon"
    coverage = ce.get_reservation_coverage(TimePeriod=PERIOD)["Total"]["CoverageHours"]
    assert float(coverage["ReservedHours"]) == 24 * days < float(coverage["TotalRunningHours"])


def test_budgets_tell_what_was_spent(client: MakeClient) -> None:
    budgets = {one["BudgetName"]: one for one in client("budgets").describe_budgets(AccountId=ACCOUNT_ID)["Budgets"]}
    history = client("budgets").describe_budget_performance_history(AccountId=ACCOUNT_ID, BudgetName="lambda")
    months = history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
    assert len(months) == 13
    services = costs(client, GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}])
    assert float(months[1]["ActualAmount"]["Amount"]) == pytest.approx(float(services[(bills.LAMBDA,)]), abs=0.01)
    now = budgets["lambda"]["CalculatedSpend"]
    assert months[0]["ActualAmount"] == now["ActualSpend"]
    assert float(now["ForecastedSpend"]["Amount"]) > float(now["ActualSpend"]["Amount"]) > 0
    limits = {name: float(one["BudgetLimit"]["Amount"]) for name, one in budgets.items()}
    forecast = {name: float(one["CalculatedSpend"]["ForecastedSpend"]["Amount"]) for name, one in budgets.items()}
    assert forecast["lambda"] > limits["lambda"], "one budget is exceeded"
    assert forecast["company-total"] < limits["company-total"], "one is kept"
    with pytest.raises(ClientError, match="NotFound"):
        client("budgets").describe_budget(AccountId=ACCOUNT_ID, BudgetName="none")


def test_comparisons_add_up(client: MakeClient) -> None:
    ce = client("ce")
    found = ce.get_cost_and_usage_comparisons(**MONTHS)
    whole = found["TotalCostAndUsage"]["UnblendedCost"]
    (last,) = costs(client).values()
    assert Decimal(whole["ComparisonTimePeriodAmount"]) == last
    parts = [Decimal(one["Metrics"]["UnblendedCost"]["Difference"]) for one in found["CostAndUsageComparisons"]]
    assert sum(parts) == Decimal(whole["Difference"])
    assert [abs(part) for part in parts] == sorted((abs(part) for part in parts), reverse=True)
    with pytest.raises(ClientError, match="one whole month"):
        ce.get_cost_and_usage_comparisons(**{**MONTHS, "ComparisonTimePeriod": FORTNIGHT})


def test_versions_tell_until_when_they_are_supported(client: MakeClient) -> None:
    rds = client("rds")
    majors = rds.describe_db_major_engine_versions(Engine="mysql")["DBMajorEngineVersions"]
    ends = {one["MajorEngineVersion"]: one["SupportedEngineLifecycles"][0]["LifecycleSupportEndDate"] for one in majors}
    assert ends["5.7"] < ends["8.0"] < ends["8.4"]
    pages = list(rds.get_paginator("describe_db_engine_versions").paginate(PaginationConfig={"PageSize": 20}))
    assert len(pages) > 1
    versions = [one for page in pages for one in page["DBEngineVersions"]]
    upgrades = {one["EngineVersion"]: one["ValidUpgradeTarget"] for one in versions}
    assert {"8.4.6"} == {one["EngineVersion"] for one in upgrades["8.0.43"]}
    (newest,) = rds.describe_db_engine_versions(Engine="postgres", DefaultOnly=True)["DBEngineVersions"]
    assert newest["MajorEngineVersion"] == "17"
    clusters = client("eks").describe_cluster_versions()["clusterVersions"]
    assert {one["versionStatus"] for one in clusters} <= {"STANDARD_SUPPORT", "EXTENDED_SUPPORT"}
    assert sum(one["defaultVersion"] for one in clusters) == 1
    every = client("eks").describe_cluster_versions(includeAll=True)["clusterVersions"]
    assert len(every) > len(clusters)
    caches = client("elasticache").describe_cache_engine_versions(Engine="redis")["CacheEngineVersions"]
    assert {one["Engine"] for one in caches} == {"redis"}


def test_anomalies_by_monitor_and_impact(client: MakeClient) -> None:
    interval = {"StartDate": str(TODAY - timedelta(days=60))}
    ce = client("ce")
    every = ce.get_anomalies(DateInterval=interval)["Anomalies"]
    assert len(every) == 3
    monitors = {one["MonitorArn"] for one in ce.get_anomaly_monitors()["AnomalyMonitors"]}
    assert {one["MonitorArn"] for one in every} == monitors
    large = ce.get_anomalies(
        DateInterval=interval, TotalImpact={"NumericOperator": "GREATER_THAN", "StartValue": 20.0}
    )["Anomalies"]
    assert len(large) == 2
    assert len(ce.get_anomalies(DateInterval={"StartDate": str(TODAY - timedelta(days=20))})["Anomalies"]) == 2


def test_denials_reach_them_too(client: MakeClient, account: EmbeddedAccount) -> None:
    account.faults.deny("cost-optimization-hub:ListRecommendations")
    account.faults.deny("budgets:ViewBudget")
    for ask in (
        client("cost-optimization-hub").list_recommendations,
        lambda: client("budgets").describe_budgets(AccountId=ACCOUNT_ID),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            ask()
