"""Tags as the Resource Groups Tagging API lists them: for resources whose own listings do not tell theirs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from aws_finops_mcp.demo.families.family import Rows

_KINDS: Final = {"logs": "log-group", "s3": "bucket"}
"""Of services whose ARNs do not name the type, or name it otherwise."""


def tag_rows(tagged: Iterable[tuple[str, str, Mapping[str, str]]]) -> Rows:
    """By region, ARN and tags; one without tags is listed as one that has lost them."""
    rows: dict[str, list[Any]] = defaultdict(list)
    for region, arn, tags in tagged:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        rows[region].append({"ResourceARN": arn, "Tags": listed})
    return Rows("resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", dict(rows), keep=of_type)


def of_type(asked: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Whether the question is about resources of this row's type: `service` or `service:type`."""
    _, _, service, _, _, resource = row["ResourceARN"].split(":", 5)
    kind = _KINDS.get(service) or re.split("[:/]", resource)[0]
    wanted = asked.get("ResourceTypeFilters")
    return not wanted or service in wanted or f"{service}:{kind}" in wanted
