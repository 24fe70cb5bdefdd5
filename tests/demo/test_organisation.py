"""Many accounts behind AssumeRole: who may, for how long, and what is found there."""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from aws_finops_mcp.demo.double.wire import Answer
from aws_finops_mcp.demo.estate.declared import Organisation
from aws_finops_mcp.demo.estate.ec2 import volume
from aws_finops_mcp.demo.estate.place import Fate, Place
from aws_finops_mcp.demo.estate.served import Estates, _Pages
from aws_finops_mcp.demo.inventory import ACCOUNT_ID
from aws_finops_mcp.demo.process import AccountProcess

ORGANISATION = Organisation(accounts=50, regions=4, resources=2000, external_id="northwind-7421")


_MODELS = botocore.session.get_session().get_component("data_loader")
MEMBER, OTHER = ORGANISATION.account_ids[0], ORGANISATION.account_ids[49]


@dataclass
class Land:
    """The organisation, and clients by credentials."""

    account: AccountProcess

    def client(self, service: str, region: str = "us-east-1", credentials: dict[str, Any] | None = None) -> Any:
        core = botocore.session.get_session()
        # Reading service models takes longer than everything else here.
        core.register_component("data_loader", _MODELS)
        session: Any = boto3.session.Session(
            aws_access_key_id=credentials["AccessKeyId"] if credentials else "AKIASIMULATEDACCOUNT",
            aws_secret_access_key=credentials["SecretAccessKey"] if credentials else "simulated",
            aws_session_token=credentials["SessionToken"] if credentials else None,
            botocore_session=core,
        )
        retries: Any = {"total_max_attempts": 1, "mode": "standard"}
        config = Config(retries=retries, read_timeout=10, parameter_validation=False)
        return session.client(service, region_name=region, endpoint_url=self.account.url, config=config)

    def assume(self, account: str, role: str = "finops-read", **more: Any) -> dict[str, Any]:
        arguments = {"ExternalId": "northwind-7421", "RoleSessionName": "audit", **more}
        arguments = {name: value for name, value in arguments.items() if value is not None}
        caller = arguments.pop("caller", None)
        sts = self.client("sts", credentials=caller)
        assumed = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/{role}", **arguments)
        return dict(assumed["Credentials"])

    def place(self, account: str, region: str) -> Place:
        place = self.account.ask("estates.place", account, region)
        assert isinstance(place, Place)
        return place


@pytest.fixture(scope="module")
def land() -> Iterator[Land]:
    with AccountProcess(organisation=ORGANISATION, seeded=False) as account:
        yield Land(account)


@pytest.fixture(autouse=True)
def fair_weather(land: Land) -> Iterator[None]:
    yield
    land.account.ask("faults.clear")
    land.account.ask("credentials.expire_after", None)


def test_roles_belong_to_their_accounts(land: Land) -> None:
    for account in (MEMBER, OTHER):
        identity = land.client("sts", credentials=land.assume(account)).get_caller_identity()
        assert identity["Account"] == account
        assert identity["Arn"] == f"arn:aws:sts::{account}:assumed-role/finops-read/audit"
    assert land.client("sts").get_caller_identity()["Account"] == ACCOUNT_ID


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"ExternalId": None}, "AccessDenied"),
        ({"ExternalId": "guessed"}, "AccessDenied"),
        ({"role": "admin"}, "AccessDenied"),
        ({"account": "999999999999"}, "AccessDenied"),
        ({"DurationSeconds": 899}, "ValidationError"),
        ({"DurationSeconds": 7200}, "ValidationError"),
        ({"RoleSessionName": "with space"}, "ValidationError"),
    ],
)
def test_who_may_not_assume(land: Land, arguments: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refused:
        land.assume(**{"account": MEMBER, **arguments})
    assert refused.value.response["Error"]["Code"] == code
    assert land.assume(MEMBER)


def test_members_may_not_assume_each_other(land: Land) -> None:
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole on resource"):
        land.assume(OTHER, caller=land.assume(MEMBER))


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("sts", "get_caller_identity", "ExpiredToken", 403),
        ("ec2", "describe_volumes", "RequestExpired", 400),
        ("lambda", "list_functions", "ExpiredTokenException", 403),
        ("logs", "describe_log_groups", "ExpiredTokenException", 400),
        ("cloudwatch", "list_metrics", "ExpiredTokenException", 400),
    ],
)
def test_expired_credentials_are_refused(land: Land, service: str, operation: str, code: str, status: int) -> None:
    land.account.ask("credentials.expire_after", 0.3)
    credentials = land.assume(MEMBER)
    assert credentials["Expiration"] < datetime.now(UTC) + timedelta(seconds=2)
    client = land.client(service, credentials=credentials)
    time.sleep(0.35)
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)()
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_keys_need_their_token(land: Land) -> None:
    credentials = {**land.assume(MEMBER), "SessionToken": "another"}
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        land.client("sts", credentials=credentials).get_caller_identity()
    with pytest.raises(ClientError, match="AuthFailure"):
        land.client("ec2", credentials={**credentials, "AccessKeyId": "ASIANOBODYKNOWSME000"}).describe_volumes()


def test_roles_made_through_iam_can_be_assumed_by_those_they_trust(land: Land) -> None:
    """Accounts that moto backs follow the same rules."""

    def role(name: str, principal: str, **condition: Any) -> None:
        statement = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole", **condition}
        land.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [statement]}))

    root = f"arn:aws:iam::{ACCOUNT_ID}:root"
    role("by-id", root, Condition={"StringEquals": {"sts:ExternalId": "northwind-7421"}})
    role("others", "arn:aws:iam::111111111111:root")
    assert land.assume(ACCOUNT_ID, "by-id")
    for name, external in (("by-id", "wrong"), ("others", None)):
        with pytest.raises(ClientError, match="AccessDenied"):
            land.assume(ACCOUNT_ID, name, ExternalId=external)


def test_the_organisation_is_listed_twenty_a_page(land: Land) -> None:
    organizations = land.client("organizations")
    pages = list(organizations.get_paginator("list_accounts").paginate())
    assert [len(page["Accounts"]) for page in pages] == [20, 20, 11]
    listed = [one["Id"] for page in pages for one in page["Accounts"]]
    assert listed == [ACCOUNT_ID, *ORGANISATION.account_ids]
    assert organizations.describe_organization()["Organization"]["MasterAccountId"] == ACCOUNT_ID
    assert organizations.describe_account(AccountId=MEMBER)["Account"]["Status"] == "ACTIVE"
    member = land.client("organizations", credentials=land.assume(MEMBER))
    assert member.describe_organization()["Organization"]["MasterAccountId"] == ACCOUNT_ID
    with pytest.raises(ClientError, match="AccessDenied"):
        member.list_accounts()


def test_two_thousand_resources_a_region(land: Land) -> None:
    estate = ORGANISATION.estate
    assert estate.total == 2000
    credentials = land.assume(OTHER)
    for region in ORGANISATION.region_names[::3]:
        ec2 = land.client("ec2", region, credentials)
        functions = land.client("lambda", region, credentials).get_paginator("list_functions").paginate()
        groups = land.client("logs", region, credentials).get_paginator("describe_log_groups").paginate()
        counts = {
            "volumes": len(ec2.describe_volumes()["Volumes"]),
            "addresses": len(ec2.describe_addresses()["Addresses"]),
            "nat_gateways": len(ec2.describe_nat_gateways()["NatGateways"]),
            "instances": len(ec2.describe_instances()["Reservations"]),
            "network_interfaces": len(ec2.describe_network_interfaces()["NetworkInterfaces"]),
            "functions": sum(len(page["Functions"]) for page in functions),
            "log_groups": sum(len(page["logGroups"]) for page in groups),
            "queues": len(land.client("sqs", region, credentials).list_queues()["QueueUrls"]),
        }
        assert sum(counts.values()) == 2000
        place = land.place(OTHER, region)
        assert counts == {kind: place.count(kind) for kind in counts}


def test_accounts_differ_and_stay_the_same(land: Land) -> None:
    def volumes(account: str, region: str) -> list[Any]:
        client = land.client("ec2", region, land.assume(account))
        return list(client.describe_volumes(MaxResults=20)["Volumes"])

    first = volumes(MEMBER, "us-east-1")
    assert first == volumes(MEMBER, "us-east-1")
    for elsewhere in (volumes(OTHER, "us-east-1"), volumes(MEMBER, "eu-west-1")):
        assert not {one["VolumeId"] for one in first} & {one["VolumeId"] for one in elsewhere}
        assert [one["Size"] for one in first] != [one["Size"] for one in elsewhere]


def test_regions_without_resources_answer_at_once(land: Land) -> None:
    credentials = land.assume(MEMBER)
    regions = [one["RegionName"] for one in land.client("ec2", credentials=credentials).describe_regions()["Regions"]]
    assert len(regions) >= 17
    assert set(ORGANISATION.region_names) < set(regions)
    assert land.client("ec2", "sa-east-1", credentials).describe_volumes()["Volumes"] == []
    assert land.client("lambda", "sa-east-1", credentials).list_functions()["Functions"] == []


def test_faults_can_be_for_one_account(land: Land) -> None:
    land.account.ask("faults.deny", "ec2:*", account=MEMBER)
    denied = land.client("ec2", credentials=land.assume(MEMBER))
    with pytest.raises(ClientError, match=f"arn:aws:sts::{MEMBER}:assumed-role/finops-read/audit is not authorized"):
        denied.describe_volumes()
    land.client("ec2", credentials=land.assume(OTHER)).describe_volumes()
    land.account.ask("faults.rate", "lambda", per_second=0.01, burst=1)
    for account in (MEMBER, OTHER):
        functions = land.client("lambda", credentials=land.assume(account))
        functions.list_functions()
        with pytest.raises(ClientError, match="TooManyRequests"):
            functions.list_functions()
    assert land.account.ask("calls.count", "lambda:ListFunctions", account=OTHER) >= 2


def test_the_share_of_idle_resources_is_exact(land: Land) -> None:
    place = land.place(MEMBER, "eu-west-1")
    estate = ORGANISATION.estate
    idle = {kind: len(place.idle(kind)) for kind in ("functions", "volumes", "nat_gateways", "queues", "instances")}
    assert idle == {
        "functions": estate.functions // 5, "volumes": 100, "nat_gateways": 2, "queues": 30, "instances": 40,
    }  # fmt: skip
    assert len(list(place.numbers("volumes", Fate.YOUNG))) == 10
    assert land.account.ask("estates.idle", MEMBER, "eu-west-1", "volumes") == place.idle("volumes")


def test_resources_cost_no_memory() -> None:
    """What is asked of many accounts does not add up: nothing is kept of a region but its numbers."""
    estates = Estates(datetime.now(UTC))
    estates.add_organisation(ORGANISATION)
    tracemalloc.start()
    made = 0
    for account in ORGANISATION.account_ids[:10]:
        for region in ORGANISATION.region_names:
            place = estates.place(account, region)
            assert place is not None
            made += sum(1 for number in range(place.count("volumes")) if volume(place, number)["Size"])
    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert made == 20_000
    assert kept < 1_000_000


def test_written_pages_are_kept_up_to_a_bound() -> None:
    pages = _Pages()
    for number in range(40):
        pages.keep((number,), Answer(200, bytes(1_000_000)))
    assert pages.get((0,)) is None
    assert pages.get((39,)) is not None
    assert len(pages._answers) == 32
