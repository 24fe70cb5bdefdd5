"""Types of resources in CloudFormation's stacks that moto's services know and its CloudFormation leaves out.

moto finds the direct subclasses of CloudFormationModel, so importing this module is all that it takes. What no service
of moto knows (Client VPN endpoints, for instance) is skipped there still: a stack is made without it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from moto.acm.models import acm_backends
from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import lambda_backends
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.elbv2.models import FakeTargetGroup, elbv2_backends
from moto.iam.models import ManagedPolicy, iam_backends
from moto.logs.models import logs_backends
from moto.utilities.utils import get_partition

Properties = dict[str, Any]


def _delete_target_group(resource_name: str, _: Properties, account_id: str, region_name: str) -> None:
    elbv2_backends[account_id][region_name].delete_target_group(resource_name)


def _delete_managed_policy(resource_name: str, _: Properties, account_id: str, region_name: str) -> None:
    iam_backends[account_id][get_partition(region_name)].delete_policy(resource_name)


# moto makes these, and leaves them behind when the stack goes.
FakeTargetGroup.delete_from_cloudformation_json = staticmethod(_delete_target_group)  # type: ignore[assignment,method-assign]

ManagedPolicy.delete_from_cloudformation_json = staticmethod(_delete_managed_policy)  # type: ignore[assignment,method-assign]


class FunctionUrl(CloudFormationModel):
    """AWS::Lambda::Url."""

    def __init__(self, function_arn: str, url: str) -> None:
        self.physical_resource_id = function_arn
        self.url = url

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Lambda::Url"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr in {"FunctionArn", "FunctionUrl"}

    def get_cfn_attribute(self, attribute: str) -> str:
        return self.url if attribute == "FunctionUrl" else self.physical_resource_id

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str, **kwargs: Any
    ) -> FunctionUrl:
        config = cloudformation_json["Properties"]
        made = lambda_backends[account_id][region_name].create_function_url_config(config["TargetFunctionArn"], config)
        return cls(config["TargetFunctionArn"], f"{made.url}/")

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> FunctionUrl:
        config = cloudformation_json["Properties"]
        lambda_backends[account_id][region_name].update_function_url_config(config["TargetFunctionArn"], config)
        kept: FunctionUrl = original_resource
        return kept

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        # moto deletes a stack's resources in any order; a function takes its URL with it.
        with suppress(UnknownFunctionException):
            lambda_backends[account_id][region_name].delete_function_url_config(resource_name)


class MetricAlarm(CloudFormationModel):
    """AWS::CloudWatch::Alarm."""

    def __init__(self, name: str, arn: str) -> None:
        self.physical_resource_id = name
        self.arn = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return "AlarmName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CloudWatch::Alarm"

    @classmethod
    def has_cfn_attr(cls, attr: str) -> bool:
        return attr == "Arn"

    def get_cfn_attribute(self, attribute: str) -> str:
        return self.arn

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str, **kwargs: Any
    ) -> MetricAlarm:
        given = cloudformation_json["Properties"]
        made = cloudwatch_backends[account_id][region_name].put_metric_alarm(
            name=resource_name,
            namespace=given.get("Namespace", ""),
            metric_name=given.get("MetricName", ""),
            comparison_operator=given["ComparisonOperator"],
            evaluation_periods=int(given["EvaluationPeriods"]),
            datapoints_to_alarm=given.get("DatapointsToAlarm"),
            period=int(given.get("Period", 0)),
            threshold=float(given["Threshold"]),
            statistic=given.get("Statistic", ""),
            extended_statistic=given.get("ExtendedStatistic"),
            description=given.get("AlarmDescription", ""),
            dimensions=given.get("Dimensions", []),
            alarm_actions=given.get("AlarmActions", []),
            ok_actions=given.get("OKActions", []),
            unit=given.get("Unit"),
            treat_missing_data=given.get("TreatMissingData"),
        )
        return cls(resource_name, made.alarm_arn)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> MetricAlarm:
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        cloudwatch_backends[account_id][region_name].delete_alarms([resource_name])


class MetricFilter(CloudFormationModel):
    """AWS::Logs::MetricFilter."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return "FilterName"

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::Logs::MetricFilter"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str, **kwargs: Any
    ) -> MetricFilter:
        given = cloudformation_json["Properties"]
        transformations: Any = [
            {name[0].lower() + name[1:]: value for name, value in one.items()} for one in given["MetricTransformations"]
        ]
        logs_backends[account_id][region_name].put_metric_filter(
            resource_name, given["FilterPattern"], given["LogGroupName"], transformations
        )
        return cls(resource_name)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> MetricFilter:
        return cls.create_from_cloudformation_json(new_resource_name, cloudformation_json, account_id, region_name)

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        group = cloudformation_json["Properties"]["LogGroupName"]
        logs_backends[account_id][region_name].delete_metric_filter(resource_name, group)


class Certificate(CloudFormationModel):
    """AWS::CertificateManager::Certificate. Issued at once, as if its DNS record were there."""

    def __init__(self, arn: str) -> None:
        self.physical_resource_id = arn

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::CertificateManager::Certificate"

    @classmethod
    def create_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str, **kwargs: Any
    ) -> Certificate:
        given = cloudformation_json["Properties"]
        arn = acm_backends[account_id][region_name].request_certificate(
            given["DomainName"], "", given.get("SubjectAlternativeNames", []), given.get("Tags", [])
        )
        return cls(arn)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: Properties,
        account_id: str,
        region_name: str,
    ) -> Certificate:
        kept: Certificate = original_resource
        return kept

    @classmethod
    def delete_from_cloudformation_json(
        cls, resource_name: str, cloudformation_json: Properties, account_id: str, region_name: str
    ) -> None:
        acm_backends[account_id][region_name].delete_certificate(resource_name)
