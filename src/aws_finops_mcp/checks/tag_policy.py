"""Checks of tags: resources without the tags that they must have, and how far each service complies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from aws_finops_mcp.aws.reads import Read, read
from aws_finops_mcp.checks.check import Check, Facts, Judgement, tags_of
from aws_finops_mcp.checks.ecr import REPOSITORIES
from aws_finops_mcp.checks.ecs import CLUSTER_ARNS
from aws_finops_mcp.checks.eks_versions import CLUSTERS as EKS_CLUSTERS
from aws_finops_mcp.checks.elasticache import CACHE_CLUSTERS
from aws_finops_mcp.checks.file_systems import EFS, FSX
from aws_finops_mcp.checks.kinesis import STREAMS
from aws_finops_mcp.checks.kms import ALIASES, KEYS
from aws_finops_mcp.checks.memorydb import CLUSTERS as MEMORYDB_CLUSTERS
from aws_finops_mcp.checks.opensearch import DOMAIN_NAMES
from aws_finops_mcp.checks.reads import (
    ADDRESSES,
    BUCKETS,
    CLASSIC_LOAD_BALANCERS,
    DB_CLUSTERS,
    DB_INSTANCES,
    FUNCTIONS,
    LOAD_BALANCERS,
    LOG_GROUP_NAMES,
    NAT_GATEWAYS,
    QUEUES,
    RESERVATIONS,
    SNAPSHOTS,
    TABLES,
    TOPICS,
    VOLUMES,
)
from aws_finops_mcp.checks.redshift import CLUSTERS as REDSHIFT_CLUSTERS
from aws_finops_mcp.checks.secretsmanager import SECRETS
from aws_finops_mcp.declaration import RegionParams, from_text
from aws_finops_mcp.findings import Category, Scalar, Verdict

TAGGED = read(
    "resourcegroupstaggingapi",
    "GetResources",
    "ResourceTagMappingList",
    {"ResourcesPerPage": 100},
    token=("PaginationToken", "PaginationToken"),
)
"""Every resource that has, or once had, a tag. One that never had any is not there: listings must tell of those."""

Tags = Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of resource: its listing, its type, and what a listed item is called and tagged with.

    Attributes:
        type: service and kind; of what is listed by a bare id or name, both as in its ARN.
        between: what an ARN has between the kind and the name of what is listed without one.
        tags: None: the listing does not tell; those that the tagging API does not know either have none.
        left_out: names that are listed and can't be tagged, None where that could not be read: then none is judged.
    """

    wanted: Read
    type: str
    identities: Callable[[Any], Iterable[tuple[str, Any]]]
    tags: Callable[[Any], Tags] | None
    between: str = "/"
    left_out: Callable[[Facts], Collection[str] | None] = lambda _facts: ()

    def key(self, identity: str) -> Key:
        """What its ARN has of service and resource."""
        if identity.startswith("arn:"):
            return key_of(identity)
        service, _, kind = self.type.partition(":")
        return service, f"{kind}{self.between}{identity}" if self.between else identity


Key = tuple[str, str]
"""Service and resource of an ARN: of one account and region, all that tells one from another."""


def key_of(arn: str) -> Key:
    """An ARN's key; a log group is also known with `:*` after its name."""
    _, _, service, _, _, resource = arn.split(":", 5)
    return service, resource.removesuffix(":*")


def _own(member: str) -> Callable[[Any], Iterable[tuple[str, Any]]]:
    return lambda item: [(str(item[member]), item)]


def _itself(name: str) -> Iterable[tuple[str, Any]]:
    return [(name, name)]


def _instances(reservation: Any) -> Iterable[tuple[str, Any]]:
    return [(one["InstanceId"], one) for one in reservation["Instances"] if one["State"]["Name"] != "terminated"]


def _log_group(group: Any) -> Iterable[tuple[str, Any]]:
    return [(group["logGroupArn"].removesuffix(":*"), group)]


def _aws_keys(facts: Facts) -> Collection[str] | None:
    """AWS's own keys take no tags; their aliases tell them."""
    aliases = facts.maybe(ALIASES)
    if aliases is None:
        return None
    return {each.get("TargetKeyId", "") for each in aliases if each["AliasName"].startswith("alias/aws/")}


def _tag_list(item: Any) -> Tags:
    return {tag["Key"]: tag.get("Value", "") for tag in item.get("TagList", ())}


KINDS: tuple[Kind, ...] = (
    Kind(RESERVATIONS, "ec2:instance", _instances, tags_of),
    Kind(VOLUMES, "ec2:volume", _own("VolumeId"), tags_of),
    Kind(ADDRESSES, "ec2:elastic-ip", lambda item: [(item.get("AllocationId", item["PublicIp"]), item)], tags_of),
    Kind(NAT_GATEWAYS, "ec2:natgateway", _own("NatGatewayId"), tags_of),
    Kind(DB_INSTANCES, "rds:db", _own("DBInstanceArn"), _tag_list),
    Kind(DB_CLUSTERS, "rds:cluster", _own("DBClusterArn"), _tag_list),
    Kind(FUNCTIONS, "lambda:function", _own("FunctionArn"), None),
    Kind(LOAD_BALANCERS, "elasticloadbalancing:loadbalancer", _own("LoadBalancerArn"), None),
    Kind(TABLES, "dynamodb:table", _itself, None),
    Kind(TOPICS, "sns:topic", _own("TopicArn"), None),
    Kind(BUCKETS, "s3:bucket", _own("Name"), None, between=""),
    Kind(QUEUES, "sqs:queue", lambda url: [(url.rpartition("/")[2], url)], None, between=""),
    Kind(LOG_GROUP_NAMES, "logs:log-group", _log_group, None),
    Kind(CLUSTER_ARNS, "ecs:cluster", _itself, None),
    Kind(EKS_CLUSTERS, "eks:cluster", _itself, None),
    Kind(CACHE_CLUSTERS, "elasticache:cluster", _own("ARN"), None),
    Kind(MEMORYDB_CLUSTERS, "memorydb:cluster", _own("ARN"), None),
    Kind(DOMAIN_NAMES, "es:domain", _own("DomainName"), None),
    Kind(REDSHIFT_CLUSTERS, "redshift:cluster", _own("ClusterIdentifier"), tags_of, between=":"),
    Kind(EFS, "elasticfilesystem:file-system", _own("FileSystemId"), tags_of),
    Kind(FSX, "fsx:file-system", _own("FileSystemId"), tags_of),
    Kind(SNAPSHOTS, "ec2:snapshot", _own("SnapshotId"), tags_of),
    Kind(CLASSIC_LOAD_BALANCERS, "elasticloadbalancing:loadbalancer", _own("LoadBalancerName"), None),
    Kind(KEYS, "kms:key", _own("KeyId"), None, left_out=_aws_keys),
    Kind(STREAMS, "kinesis:stream", _own("StreamARN"), None),
    Kind(REPOSITORIES, "ecr:repository", _own("repositoryArn"), None),
    Kind(SECRETS, "secretsmanager:secret", _own("ARN"), tags_of),
)
"""What costs most; a resource of another kind is looked at when it has, or once had, a tag."""


class UntaggedResourcesParams(RegionParams):
    """Arguments of `find_untagged_resources` and `analyze_tag_compliance`."""

    required_tags: Annotated[
        tuple[str, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string"}, "default": []}),
    ] = Field((), description="keys that each must have; when empty, one without any tag is a finding")
    allowed_values: Annotated[
        dict[str, tuple[str, ...]], BeforeValidator(from_text), WithJsonSchema({"type": "object", "default": {}})
    ] = Field(default_factory=dict, description='values that a key may have, e.g. {"Environment": ["prod", "test"]}')


@dataclass(frozen=True)
class Resource:
    """A resource and its tags; None: they could not be read."""

    identity: str
    type: str
    tags: Tags | None


def resources(facts: Facts) -> Iterator[Resource]:
    """Every resource that the listings or the tagging API tell of, each once."""
    tagged = {key_of(row["ResourceARN"]): (row["ResourceARN"], tags_of(row)) for row in facts.items(TAGGED)}
    seen: set[Key] = set()
    for kind in KINDS:
        left_out = kind.left_out(facts)
        if left_out is None:
            continue
        for item in facts.maybe(kind.wanted) or ():
            for identity, own in kind.identities(item):
                key = kind.key(identity)
                if identity in left_out or key in seen:
                    continue
                seen.add(key)
                yield Resource(identity, kind.type, kind.tags(own) if kind.tags else tagged.get(key, ("", {}))[1])
    yield from (Resource(arn, type_of(arn), tags) for key, (arn, tags) in tagged.items() if key not in seen)


def type_of(arn: str) -> str:
    """`service:type` of an ARN, e.g. lambda:function, s3:bucket, ec2:volume."""
    service, resource = arn.split(":", 5)[2], arn.split(":", 5)[5]
    kind = resource.replace("/", ":").partition(":")
    return f"{service}:{kind[0]}" if kind[1] else _WITHOUT_KIND.get(service, service)


_WITHOUT_KIND = {"s3": "s3:bucket", "sns": "sns:topic", "sqs": "sqs:queue"}


def lacks(tags: Tags, params: UntaggedResourcesParams) -> list[str]:
    """What is wrong with a resource's tags, in words; AWS's own tags don't count."""
    own = {key: value for key, value in tags.items() if not key.startswith("aws:")}
    if not params.required_tags and not params.allowed_values:
        return [] if own else ["no tag at all"]
    wrong = [f"no tag {key}" for key in params.required_tags if not own.get(key, "").strip()]
    for key, values in params.allowed_values.items():
        if key in own and own[key] not in values:
            wrong.append(f"{key}={own[key]}")
    return wrong


def judge_untagged(facts: Facts, params: UntaggedResourcesParams) -> Iterator[Judgement]:
    """A resource is compliant when nothing is wrong with its tags."""
    for one in resources(facts):
        tags = one.tags or {}
        wrong = lacks(tags, params)
        evidence: dict[str, Scalar] = {"type": one.type, "tags": len([key for key in tags if key[:4] != "aws:"])}
        verdict = Verdict.NONCOMPLIANT if wrong else Verdict.OK
        reason = "; ".join(wrong) or "has what it must have"
        yield Judgement(one.identity, verdict, reason, evidence, name=tags.get("Name", ""), tags=tags)


_INVENTORY = (TAGGED, *(kind.wanted for kind in KINDS), ALIASES)
_REFERENCES = (
    "https://docs.aws.amazon.com/resourcegroupstagging/latest/APIReference/API_GetResources.html",
    "https://docs.aws.amazon.com/whitepapers/latest/tagging-best-practices/tagging-best-practices.html",
)

UNTAGGED_RESOURCES = Check(
    name="find_untagged_resources",
    title="Resources without the tags that they must have",
    noun="resources",
    category=Category.GOVERNANCE,
    description=(
        "Resources that lack a required tag, or have a value that is not allowed; without required_tags, those without "
        "any tag, also such as never had one. Free to ask."
    ),
    resource_type="AWS::ResourceGroups::Resource",
    params=UntaggedResourcesParams,
    inventory=_INVENTORY,
    count=lambda facts, _params: len(list(resources(facts))),
    judge=judge_untagged,
    saves=False,
    evidence={
        "type": "service and type of the resource",
        "tags": "tags that it has, without those of AWS itself: its own listing, or tag:GetResources",
    },
    verdicts={Verdict.NONCOMPLIANT: "lacks a required tag, has a value that is not allowed, or has no tag at all"},
    remediation="Ask the owner that its name or stack suggests; tag it where it is made, or the tag is lost.",
    references=_REFERENCES,
    limits=(
        "Types that the tagging API and the listings of this check know; without a listing, what never had a tag is "
        "not seen."
    ),
)

# --- by service ------------------------------------------------------------------------------------------------------


def judge_compliance(facts: Facts, params: UntaggedResourcesParams) -> Iterator[Judgement]:
    """A service is compliant when all its resources are; of the rest, how many are."""
    total: dict[str, int] = defaultdict(int)
    compliant: dict[str, int] = defaultdict(int)
    for one in resources(facts):
        service = one.type.partition(":")[0]
        total[service] += 1
        compliant[service] += not lacks(one.tags or {}, params)
    for service, count in sorted(total.items()):
        rate = compliant[service] / count
        wrong = count - compliant[service]
        yield Judgement(
            resource_id=service,
            verdict=Verdict.NONCOMPLIANT if wrong else Verdict.OK,
            reason=f"{wrong} of {count} resources lack what they must have"
            if wrong
            else "all have what they must have",
            evidence={"resources": count, "compliant": compliant[service], "rate_percent": round(100 * rate, 1)},
        )


TAG_COMPLIANCE = Check(
    name="analyze_tag_compliance",
    title="Tag compliance by service",
    noun="services",
    category=Category.GOVERNANCE,
    description=(
        "How many resources of each service have the required tags with allowed values; never-tagged ones count too. "
        "Free to ask."
    ),
    resource_type="AWS::ResourceGroups::Resource",
    params=UntaggedResourcesParams,
    inventory=_INVENTORY,
    count=lambda facts, _params: len(list(resources(facts))),
    judge=judge_compliance,
    saves=False,
    evidence={
        "resources": "resources of the service, of its listings and of tag:GetResources",
        "compliant": "of these, those with all required tags and allowed values",
        "rate_percent": "compliant / resources",
    },
    verdicts={Verdict.NONCOMPLIANT: "some resource of the service lacks what it must have"},
    remediation="find_untagged_resources names them; set a tag policy, and tag where resources are made.",
    references=_REFERENCES,
    limits=(
        "Types that the tagging API and the listings of this check know; shares are of resources, costs by owner are "
        "generate_cost_allocation_report's."
    ),
)

CHECKS = (UNTAGGED_RESOURCES, TAG_COMPLIANCE)
