"""Reserved instances: one of EC2's that is in use, old ones that are over, and what Cost Explorer says of them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from aws_finops_mcp.demo import bills, inventory
from aws_finops_mcp.demo.answers.company import Company, Operations, arn, usd
from aws_finops_mcp.demo.answers.pages import page
from aws_finops_mcp.demo.answers.purchases import RECOMMENDED_DATABASE
from aws_finops_mcp.demo.answers.recommendations import BUSY_DATABASE
from aws_finops_mcp.demo.double.cost_explorer import Period, periods_of, read_dates
from aws_finops_mcp.demo.double.errors import AwsError
from aws_finops_mcp.demo.double.request import Call
from aws_finops_mcp.demo.inventory import ACCOUNT_ID, US

RESERVATION: Final = "7e5e0000-0000-4000-8000-0000000000a1"
_YEAR: Final = 365 * 86_400
_RDS: Final = "Amazon Relational Database Service"
_ZERO: Final = Decimal(0)


def operations(company: Company) -> Operations:
    reservations = _Reservations(company)
    return {
        ("ce", "GetReservationCoverage"): reservations.coverage,
        ("ce", "GetReservationPurchaseRecommendation"): reservations.purchase_recommendation,
        ("ce", "GetReservationUtilization"): reservations.utilization,
        ("ec2", "DescribeReservedInstances"): reservations.instances,
        ("elasticache", "DescribeReservedCacheNodes"): reservations.cache_nodes,
        ("rds", "DescribeReservedDBInstances"): reservations.databases,
    }


class _Reservations:
    def __init__(self, company: Company) -> None:
        self._company = company

    def instances(self, call: Call) -> dict[str, Any]:
        """One runs out in less than three months, the other is over."""
        if call.region != US or not self._company.is_here(call):
            return {"ReservedInstances": []}
        rows = [
            self._instance(RESERVATION, bills.RESERVED_TYPE, bills.RESERVED_AGE, bills.RESERVED_HOURLY),
            self._instance("7e5e0000-0000-4000-8000-0000000000a0", "m5.large", 700, 0.06),
        ]
        wanted = call.parameters.get("ReservedInstancesIds")
        rows = [row for row in rows if not wanted or row["ReservedInstancesId"] in wanted]
        for one in call.parameters.get("Filters") or []:
            members = {"state": "State", "instance-type": "InstanceType", "scope": "Scope"}
            member = members.get(str(one["Name"]))
            if member is None:
                raise AwsError("InvalidParameterValue", f"The filter '{one['Name']}' is invalid")
            rows = [row for row in rows if row[member] in one["Values"]]
        return {"ReservedInstances": rows}

    def _instance(self, identity: str, kind: str, age: int, hourly: float) -> dict[str, Any]:
        start = self._company.midnight(age)
        return {
            "CurrencyCode": "USD",
            "Duration": _YEAR,
            "End": start + timedelta(days=365),
            "FixedPrice": 0.0,
            "InstanceCount": 1,
            "InstanceTenancy": "default",
            "InstanceType": kind,
            "OfferingClass": "standard",
            "OfferingType": "No Upfront",
            "ProductDescription": "Linux/UNIX",
            "RecurringCharges": [{"Amount": hourly, "Frequency": "Hourly"}],
            "ReservedInstancesId": identity,
            "Scope": "Region",
            "Start": start,
            "State": "active" if age < 365 else "retired",
            "Tags": [],
            "UsagePrice": 0.0,
        }

    def databases(self, call: Call) -> dict[str, Any]:
        """Only one that is over: the orders database runs at the full price since."""
        if call.region != US or not self._company.is_here(call):
            return {"ReservedDBInstances": []}
        identity = "orders-2024"
        row = {
            "ReservedDBInstanceId": identity,
            "ReservedDBInstancesOfferingId": "0ffe0000-0000-4000-8000-0000000000d1",
            "DBInstanceClass": BUSY_DATABASE[2],
            "StartTime": self._company.midnight(480),
            "Duration": _YEAR,
            "FixedPrice": 0.0,
            "UsagePrice": 0.0,
            "CurrencyCode": "USD",
            "DBInstanceCount": 1,
            "ProductDescription": "postgresql",
            "OfferingType": "No Upfront",
            "MultiAZ": False,
            "State": "retired",
            "RecurringCharges": [{"RecurringChargeAmount": 0.153, "RecurringChargeFrequency": "Hourly"}],
            "ReservedDBInstanceArn": arn("rds", US, f"ri:{identity}"),
        }
        wanted = call.parameters.get("ReservedDBInstanceId")
        if wanted not in {None, identity}:
            raise AwsError("ReservedDBInstanceNotFound", f"Reserved DB Instance {wanted} not found.", 404)
        return {"ReservedDBInstances": [row]}

    def cache_nodes(self, call: Call) -> dict[str, Any]:
        wanted = call.parameters.get("ReservedCacheNodeId")
        if wanted is not None:
            raise AwsError("ReservedCacheNodeNotFound", f"Reserved Cache Node {wanted} not found.", 404)
        return {"ReservedCacheNodes": []}

    def utilization(self, call: Call) -> dict[str, Any]:
        asked = call.parameters
        start, end = read_dates(asked["TimePeriod"], self._company.today)
        grouped = [str(one.get("Key")) for one in asked.get("GroupBy") or []]
        if grouped not in ([], ["SUBSCRIPTION_ID"]):
            raise AwsError("ValidationException", "Utilization can be grouped by SUBSCRIPTION_ID only.")
        if grouped and asked.get("Granularity"):
            raise AwsError("ValidationException", "Granularity can't be set with GroupBy.")
        if not _about_instances(asked):
            return {"UtilizationsByTime": [], "Total": self._use(call, (end, end))}
        rows: list[dict[str, Any]] = []
        for period in periods_of(start, end, str(asked.get("Granularity") or "MONTHLY")):
            use = self._use(call, period)
            row: dict[str, Any] = {"TimePeriod": _period(period), "Total": use, "Groups": []}
            if grouped and float(use["PurchasedHours"]):
                group = {"Key": "SUBSCRIPTION_ID", "Value": RESERVATION, "Attributes": self._attributes()}
                row["Groups"] = [{**group, "Utilization": use}]
            rows.append(row)
        items, more = page(call, rows, "NextPageToken", "MaxResults", 100, "InvalidNextTokenException")
        return {"UtilizationsByTime": items, "Total": self._use(call, (start, end)), **more}

    def _use(self, call: Call, period: Period) -> dict[str, str]:
        """The reserved machine never stopped: every hour that was bought was used."""
        start, end = period
        lines = [
            line
            for line in self._company.bills.between(start, end)
            if line.record_type == "DiscountedUsage" and self._company.is_here(call)
        ]
        hours = sum((line.quantity for line in lines), _ZERO)
        fee = sum((line.amortized for line in lines), _ZERO)
        on_demand = hours * Decimal(repr(bills.RESERVED_ON_DEMAND))
        percentage = "100" if hours else "0"
        return {
            "UtilizationPercentage": percentage,
            "UtilizationPercentageInUnits": percentage,
            "PurchasedHours": usd(hours),
            # An xlarge is eight normalized units.
            "PurchasedUnits": usd(hours * 8),
            "TotalActualHours": usd(hours),
            "TotalActualUnits": usd(hours * 8),
            "UnusedHours": "0",
            "UnusedUnits": "0",
            "OnDemandCostOfRIHoursUsed": usd(on_demand),
            "NetRISavings": usd(on_demand - fee),
            "TotalPotentialRISavings": usd(on_demand - fee),
            "AmortizedUpfrontFee": "0",
            "AmortizedRecurringFee": usd(fee),
            "TotalAmortizedFee": usd(fee),
            "RICostForUnusedHours": "0",
            "RealizedSavings": usd(on_demand - fee),
            "UnrealizedSavings": "0",
        }

    def _attributes(self) -> dict[str, str]:
        start = self._company.midnight(bills.RESERVED_AGE)
        return {
            "accountId": ACCOUNT_ID,
            "endDateTime": f"{start + timedelta(days=365):%Y-%m-%dT%H:%M:%S.000Z}",
            "startDateTime": f"{start:%Y-%m-%dT%H:%M:%S.000Z}",
            "accountName": inventory.ACCOUNT_NAME,
            "instanceType": bills.RESERVED_TYPE,
            "leaseId": RESERVATION,
            "numberOfInstances": "1",
            "offeringType": "No Upfront",
            "region": US,
            "scope": "Region",
            "service": bills.COMPUTE,
            "subscriptionStatus": "Active",
            "subscriptionType": "Standard",
        }

    def coverage(self, call: Call) -> dict[str, Any]:
        """Hours of EC2's instances, from the bills."""
        asked = call.parameters
        start, end = read_dates(asked["TimePeriod"], self._company.today)
        grouped = [str(one.get("Key")) for one in asked.get("GroupBy") or []]
        if grouped not in ([], ["INSTANCE_TYPE"], ["REGION"]):
            raise AwsError("ValidationException", "Coverage can be grouped by INSTANCE_TYPE or REGION only.")
        if grouped and asked.get("Granularity"):
            raise AwsError("ValidationException", "Granularity can't be set with GroupBy.")
        if not _about_instances(asked):
            return {"CoveragesByTime": [], "Total": _coverage(_ZERO, _ZERO, _ZERO)}
        rows = []
        for period in periods_of(start, end, str(asked.get("Granularity") or "MONTHLY")):
            parts = self._hours(call, period, grouped[0] if grouped else "")
            groups = [
                {"Attributes": {"instanceType" if grouped == ["INSTANCE_TYPE"] else "region": name},
                 "Coverage": _coverage(*hours)}
                for name, hours in sorted(parts.items())
            ]  # fmt: skip
            total = _coverage(*(sum(column, _ZERO) for column in zip(*parts.values(), strict=True)))
            rows.append({"TimePeriod": _period(period), "Groups": groups if grouped else [], "Total": total})
        whole = self._hours(call, (start, end), "")
        items, more = page(call, rows, "NextPageToken", "MaxResults", 100, "InvalidNextTokenException")
        return {"CoveragesByTime": items, "Total": _coverage(*whole[""]), **more}

    def _hours(self, call: Call, period: Period, group: str) -> dict[str, tuple[Decimal, Decimal, Decimal]]:
        """On-demand hours, reserved hours and what the former cost, by group."""
        start, end = period
        found: dict[str, tuple[Decimal, Decimal, Decimal]] = {} if group else {"": (_ZERO, _ZERO, _ZERO)}
        for line in self._company.bills.between(start, end):
            if "BoxUsage" not in line.usage_type or not self._company.is_here(call):
                continue
            if line.record_type not in {"Usage", "DiscountedUsage"}:
                continue
            name = {"INSTANCE_TYPE": line.usage_type.split(":")[-1], "REGION": line.region}.get(group, "")
            on_demand, reserved, cost = found.get(name, (_ZERO, _ZERO, _ZERO))
            if line.record_type == "DiscountedUsage":
                found[name] = on_demand, reserved + line.quantity, cost
            else:
                found[name] = on_demand + line.quantity, reserved, cost + line.unblended
        return found or {"": (_ZERO, _ZERO, _ZERO)}

    def purchase_recommendation(self, call: Call) -> dict[str, Any]:
        """For RDS: the orders database. Everything else is covered or too irregular."""
        asked = call.parameters
        term = asked.get("TermInYears") or "ONE_YEAR"
        payment = asked.get("PaymentOption") or "NO_UPFRONT"
        metadata = {
            "RecommendationId": "9a3b0000-0000-4000-8000-0000000000d0",
            "GenerationTimestamp": f"{self._company.midnight():%Y-%m-%dT%H:%M:%SZ}",
        }
        fits = asked["Service"] == _RDS and (term, payment) == ("ONE_YEAR", "NO_UPFRONT")
        if not fits or not self._company.is_here(call):
            return {"Metadata": metadata, "Recommendations": []}
        purchase = RECOMMENDED_DATABASE
        family, _, _size = BUSY_DATABASE[2].removeprefix("db.").partition(".")
        detail = {
            "AccountId": ACCOUNT_ID,
            "InstanceDetails": {
                "RDSInstanceDetails": {
                    "Family": f"db.{family}",
                    "InstanceType": BUSY_DATABASE[2],
                    "Region": "US East (N. Virginia)",
                    "DatabaseEngine": "PostgreSQL",
                    "DeploymentOption": "Single-AZ",
                    "LicenseModel": "No license required",
                    "CurrentGeneration": True,
                    "SizeFlexEligible": True,
                }
            },
            "RecommendedNumberOfInstancesToPurchase": "1",
            "MinimumNumberOfInstancesUsedPerHour": "1",
            "MaximumNumberOfInstancesUsedPerHour": "1",
            "AverageNumberOfInstancesUsedPerHour": "1",
            "AverageUtilization": "100",
            "EstimatedBreakEvenInMonths": "0",
            "CurrencyCode": "USD",
            "EstimatedMonthlySavingsAmount": usd(purchase.savings_month, 4),
            "EstimatedMonthlySavingsPercentage": usd(purchase.percentage, 4),
            "EstimatedMonthlyOnDemandCost": usd(purchase.on_demand_month, 4),
            "EstimatedReservationCostForLookbackPeriod": usd(purchase.hourly * 24 * 30, 4),
            "UpfrontCost": "0",
            "RecurringStandardMonthlyCost": usd(purchase.commitment_month, 4),
        }
        return {
            "Metadata": metadata,
            "Recommendations": [
                {
                    "AccountScope": asked.get("AccountScope") or "PAYER",
                    "LookbackPeriodInDays": asked.get("LookbackPeriodInDays") or "THIRTY_DAYS",
                    "TermInYears": term,
                    "PaymentOption": payment,
                    "RecommendationDetails": [detail],
                    "RecommendationSummary": {
                        "TotalEstimatedMonthlySavingsAmount": usd(purchase.savings_month, 4),
                        "TotalEstimatedMonthlySavingsPercentage": usd(purchase.percentage, 4),
                        "CurrencyCode": "USD",
                    },
                }
            ],
        }


def _about_instances(asked: dict[str, Any]) -> bool:
    """Whether the question is about EC2, as it is without a filter; only EC2 has something reserved."""
    named = [
        part["Dimensions"]["Values"]
        for part in [asked.get("Filter") or {}, *((asked.get("Filter") or {}).get("And") or [])]
        if (part.get("Dimensions") or {}).get("Key") == "SERVICE"
    ]
    if any(len(values) != 1 for values in named):
        raise AwsError("ValidationException", "The SERVICE filter takes one value.")
    return all(values == [bills.COMPUTE] for values in named)


def _period(period: Period) -> dict[str, str]:
    return {"Start": period[0].isoformat(), "End": period[1].isoformat()}


def _coverage(on_demand: Decimal, reserved: Decimal, cost: Decimal) -> dict[str, Any]:
    total = on_demand + reserved
    return {
        "CoverageHours": {
            "OnDemandHours": usd(on_demand),
            "ReservedHours": usd(reserved),
            "TotalRunningHours": usd(total),
            "CoverageHoursPercentage": usd(reserved / total * 100 if total else _ZERO, 4),
        },
        "CoverageCost": {"OnDemandCost": usd(cost)},
    }
