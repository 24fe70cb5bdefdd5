"""Runs one check over one region: reads what it declares, then lets it judge, and prices what it found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from aws_finops_mcp.audits.datapoints import Datapoints
from aws_finops_mcp.aws.metric_store import MetricReads, MetricStore
from aws_finops_mcp.aws.metrics import MetricQuery, window
from aws_finops_mcp.aws.reader import Arrived, Reader
from aws_finops_mcp.aws.reads import Read
from aws_finops_mcp.checks.check import Check, Facts, Judgement
from aws_finops_mcp.declaration import RegionParams
from aws_finops_mcp.findings import Counts, FailedRead, Finding, Saving, Scalar, Verdict, Window, cents, known_sum
from aws_finops_mcp.prices.book import Part, PriceBook

MAX_TAGS = 12
"""Tags of a finding; a resource may have 50, and an answer has to fit."""

MANAGERS: Mapping[str, str] = {
    "aws:cloudformation:stack-name": "CloudFormation stack",
    "aws:autoscaling:groupName": "auto scaling group",
    "aws:ec2:fleet-id": "EC2 fleet",
    "aws:elasticmapreduce:job-flow-id": "EMR cluster",
    "aws:eks:cluster-name": "EKS cluster",
    "eks:cluster-name": "EKS cluster",
    "kubernetes.io/created-for/pvc/name": "Kubernetes volume claim",
    "elasticbeanstalk:environment-name": "Elastic Beanstalk environment",
    "aws:backup:source-resource": "AWS Backup, of",
    "dlm:managed": "Data Lifecycle Manager",
    "aws:cdk:path": "CDK construct",
}
"""Tag keys that name what made a resource: a deleted resource comes back unless it is changed there."""

TOOLS: Mapping[str, str] = {
    "terraform": "Terraform",
    "opentofu": "OpenTofu",
    "tofu": "OpenTofu",
    "terragrunt": "Terragrunt",
    "pulumi": "Pulumi",
    "cdk": "CDK",
    "aws-cdk": "CDK",
    "cloudformation": "CloudFormation",
    "crossplane": "Crossplane",
    "ansible": "Ansible",
    "eksctl": "eksctl",
    "serverless": "Serverless Framework",
    "helm": "Helm",
}
"""Tools by the names that people tag with."""

_SAYS_WHO = frozenset({"managedby", "createdby", "provisioner", "provisionedby", "iac", "deployedby", "tool"})
"""Tag keys, without case and separators, whose value is a tool."""
_NO = frozenset({"false", "no", "0", "none"})


@dataclass(frozen=True)
class Examined:
    """What a check found in one region."""

    findings: Sequence[Finding]
    """Those that an answer may list; with `detail=full` every resource."""
    window: Window | None
    listed: bool
    """Whether the resources themselves could be listed; without that nothing can be said."""
    verdicts: Mapping[str, int] = field(default_factory=dict)
    """How many resources got which verdict."""

    def of(self, *verdicts: Verdict) -> list[Finding]:
        """The findings of some verdicts, most valuable first."""
        return sorted((f for f in self.findings if f.verdict in verdicts), key=_most_valuable_first)

    @property
    def found(self) -> list[Finding]:
        """What somebody should do something about, most valuable first."""
        return self.of(*(verdict for verdict in Verdict if verdict.actionable))

    @property
    def counts(self) -> Counts:
        return Counts(examined=sum(self.verdicts.values()), found=len(self.found), **self.verdicts)

    @property
    def monthly_usd(self) -> Decimal:
        """What acting on all findings saves a month, as far as it is priced."""
        return sum((f.saving.counted_usd for f in self.findings if f.saving), Decimal(0))

    @property
    def unpriced(self) -> int:
        """Findings with a part that has no sourced price."""
        return sum(1 for f in self.findings if f.saving and f.saving.unpriced)


def read_inventory(
    reader: Reader, check: Check[Any], params: RegionParams, facts: Facts, arrived: Arrived | None = None
) -> Facts | None:
    """Make the check's declared reads, side by side; None when its resources could not be listed.

    `arrived` is given the pages of the resources as they come, unless another check has read them.
    """
    resources = check.inventory[0]
    outcomes = reader.side_by_side(
        lambda wanted: reader.items(wanted, arrived if wanted == resources else None),
        check.inventory,
        lambda wanted: wanted.iam_action,
    )
    inventory = dict(zip(check.inventory, outcomes, strict=True))
    if isinstance(inventory[resources], FailedRead):
        return None
    read = Facts(facts.now, inventory, window=_window(check, params, facts))
    for level in check.follow_ups:
        read = _with_details(reader, read, level, params)
    return read


def _window(check: Check[Any], params: RegionParams, facts: Facts) -> Window | None:
    return window(params.period, facts.now) if check.reads_metrics and hasattr(params, "period") else None


def metric_queries(check: Check[Any], params: RegionParams, facts: Facts) -> list[MetricQuery]:
    """The series that the check wants, each once."""
    return list(dict.fromkeys(check.metrics(facts, params)))


@dataclass(frozen=True)
class Listed:
    """What a check read of one region, before its metrics are there."""

    facts: Facts | None
    """None: its resources could not be listed."""
    metrics: MetricReads | None = None

    @property
    def waits(self) -> bool:
        """Whether it wants series."""
        return self.facts is not None and self.metrics is not None


def begin_examining(
    reader: Reader, check: Check[Any], params: RegionParams, facts: Facts, store: MetricStore
) -> Listed:
    """Read what the check declares, and tell the store which series it wants.

    The check goes on with `finish_examining` when the store has asked for all that is wanted.
    """
    over = _window(check, params, facts)
    if over is None:
        return Listed(read_inventory(reader, check, params, facts))
    metrics = store.reads(reader, over)
    read = read_inventory(reader, check, params, facts, _page_by_page(check, params, facts, metrics))
    if read is None:
        metrics.give_up()
    else:
        metrics.want(metric_queries(check, params, read))
    return Listed(read, metrics)


def finish_examining(
    reader: Reader, prices: PriceBook, check: Check[Any], params: RegionParams, listed: Listed, exempt_tag: str = ""
) -> Examined:
    """Wait for the metrics, let the check judge, and price what it found.

    What AWS did not answer is in the reader's ledger, and in the verdicts.

    Args:
        exempt_tag: a resource with a tag of this key is exempt; "" exempts none.
    """
    read = listed.facts
    if read is None:
        return Examined([], None, listed=False)
    if listed.metrics is not None:
        read = replace(read, series=listed.metrics.series())
    known = read
    for level in check.details:
        known = _with_details(reader, known, level, params)
    counted: Counter[str] = Counter()

    def kept(verdict: Verdict) -> bool:
        """Most resources are in use: what nobody will list is counted, and takes no memory."""
        listed = verdict.actionable or verdict is Verdict.UNKNOWN or params.detail == "full"
        counted[verdict.value] += not listed
        return listed

    judged = (_unless_exempt(judgement, exempt_tag) for judgement in check.judge(known, params))
    measured = Datapoints(read.series)
    judgements = [
        replace(judgement, evidence={**judgement.evidence, **measured.of(judgement)})
        for judgement in judged
        if kept(judgement.verdict)
    ]
    judgements.sort(key=lambda judgement: (-judgement.weight, judgement.resource_id))
    prices.load(
        part.unit
        for judgement in judgements
        if judgement.verdict.actionable
        for parts in (judgement.parts, *judgement.alternatives.values(), *judgement.coming.values())
        for part in parts
    )
    made = (_finding(judgement, prices, check.saves) for judgement in judgements)
    findings = [finding for finding in made if finding.verdict and kept(finding.verdict)]
    counted.update(finding.verdict.value for finding in findings if finding.verdict)
    return Examined(findings, read.window, listed=True, verdicts=+counted)


def _with_details(reader: Reader, facts: Facts, level: Callable[[Facts, Any], Iterable[Read]], params: Any) -> Facts:
    """Make the reads that follow from some facts, side by side."""
    wanted = [detail for detail in dict.fromkeys(level(facts, params)) if detail not in facts.details]
    outcomes = reader.side_by_side(reader.items, wanted, lambda detail: detail.iam_action)
    return replace(facts, details={**facts.details, **dict(zip(wanted, outcomes, strict=True))})


def _unless_exempt(judgement: Judgement, tag: str) -> Judgement:
    if not tag or not judgement.verdict.actionable or tag not in judgement.tags:
        return judgement
    reason = f"tagged {tag}={judgement.tags[tag]}; else {judgement.verdict}: {judgement.reason}"
    return replace(judgement, verdict=Verdict.EXEMPT, reason=reason)


class _ReadSoFar(dict[Read, Any]):
    """What is there while the resources are still being listed."""

    def __missing__(self, wanted: Read) -> Any:
        raise LookupError(wanted)


def _page_by_page(check: Check[Any], params: RegionParams, facts: Facts, metrics: MetricReads) -> Arrived:
    """Begins with the metrics of each page's resources while the next page is read.

    A check whose series depend on more than each resource by itself looks at what is not there yet, and is left until
    all is read.
    """

    def arrived(page: Sequence[Any]) -> None:
        so_far = _ReadSoFar({check.inventory[0]: page})
        # A check that breaks will do so again when all is read; the read is also that of others.
        with suppress(Exception):
            metrics.begin(metric_queries(check, params, Facts(facts.now, so_far, details=_ReadSoFar())))

    return arrived


def _finding(judgement: Judgement, prices: PriceBook, saves: bool = True) -> Finding:
    saving: Saving | None = None
    verdict, reason, evidence = judgement.verdict, judgement.reason, dict(judgement.evidence)
    if (saves and verdict is Verdict.IDLE) or (
        verdict.actionable and (judgement.parts or judgement.unpriced or judgement.alternatives)
    ):
        saving, more = _saving(judgement, prices)
        evidence |= more
        if any(part.quantity < 0 for parts in _ways(judgement).values() for part in parts):
            verdict, reason = _unless_it_saves_nothing(verdict, reason, saving)
            if not verdict.actionable or (saving.counted_usd <= 0 and not saving.unpriced):
                saving = None
    if verdict.actionable:
        evidence |= _coming(judgement, prices)
    own = {key: value for key, value in judgement.tags.items() if not key.startswith("aws:")}
    return Finding(
        resource_id=judgement.resource_id,
        name=judgement.name,
        verdict=verdict,
        reason=reason,
        evidence=evidence,
        tags=dict(list(own.items())[:MAX_TAGS]),
        managed_by=managed_by(judgement.tags),
        referred_by=tuple(judgement.referred_by),
        saving=saving,
    )


def _ways(judgement: Judgement) -> Mapping[str, Sequence[Part]]:
    """What may be done, each with what it changes in the bill."""
    if not judgement.alternatives:
        return {"": judgement.parts}
    return {name: (*judgement.parts, *parts) for name, parts in judgement.alternatives.items()}


def _saving(judgement: Judgement, prices: PriceBook) -> tuple[Saving, dict[str, Scalar]]:
    """What the best way saves, and of several what each of them saves."""
    savings = {name: prices.saving(parts) for name, parts in _ways(judgement).items()}
    # One without a price comes last: it is not known to save anything.
    ranked = sorted(savings.items(), key=lambda item: (bool(item[1].unpriced), -item[1].counted_usd))
    name, best = ranked[0]
    evidence: dict[str, Scalar] = {}
    if judgement.alternatives:
        evidence["change_to"] = name
        evidence["alternatives"] = ", ".join(
            f"{other} unpriced" if saving.unpriced else f"{other} {saving.counted_usd:.2f}" for other, saving in ranked
        )
    unpriced = (*best.unpriced, *judgement.unpriced)
    return best.model_copy(
        update={"unpriced": unpriced, "monthly_usd": known_sum(best.counted_usd, unpriced)}
    ), evidence


def _coming(judgement: Judgement, prices: PriceBook) -> dict[str, Scalar]:
    """What will be billed from a date on, as far as it has a price."""
    savings = {key: prices.saving(parts) for key, parts in judgement.coming.items() if parts}
    return {key: cents(saving.counted_usd) for key, saving in savings.items() if not saving.unpriced}


def _unless_it_saves_nothing(verdict: Verdict, reason: str, saving: Saving) -> tuple[Verdict, str]:
    """Something else that costs as much is no finding where the finding is what it costs."""
    if verdict not in (Verdict.COSTLY, Verdict.UNDERUSED):
        return verdict, reason
    if saving.unpriced and not saving.parts:
        return Verdict.UNKNOWN, f"{reason}; but what it would cost has no sourced price"
    if saving.counted_usd <= 0:
        return Verdict.OK, f"{reason}; but at list price nothing would be saved"
    return verdict, reason


def managed_by(tags: Mapping[str, str]) -> str | None:
    """What made a resource, by the tags that AWS and common tools set; None when they don't tell."""
    for key, what in MANAGERS.items():
        if key in tags:
            return f"{what} {tags[key]}".strip()
    for key, value in tags.items():
        named, said = _plain(key), value.strip().lower()
        tool = TOOLS.get(said) or TOOLS.get(said.split(" ")[0].split(":")[0])
        if named in _SAYS_WHO and tool:
            return tool
        if named in TOOLS and said not in _NO:
            told = "" if said in ("true", "yes", "1", "") or TOOLS[named].lower() == said else f" {value.strip()}"
            return f"{TOOLS[named]}{told}"
    return None


def _plain(key: str) -> str:
    """A tag's key as people write it in many ways: ManagedBy, managed-by, managed_by, team:managed-by."""
    return re.sub(r"[^a-z]", "", key.lower().rpartition(":")[2].rpartition("/")[2])


def _most_valuable_first(finding: Finding) -> Decimal:
    """Those that save as much stay in their order: by weight, then by id."""
    return -(finding.saving.counted_usd if finding.saving else Decimal(0))
