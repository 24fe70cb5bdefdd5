"""What follows from a region's name, by botocore's own table."""

from __future__ import annotations

import difflib
from typing import Any, Final

from ansible.errors import AnsibleFilterError

# Where IAM, STS and the like of a partition can be asked even when the region that is meant is not enabled.
_HOMES: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}


def aws_place(region: str) -> dict[str, str]:
    """The region's partition, the partition's home region, and the suffix of its DNS names."""
    # Ansible loads filters anew for every task and few use this one: imported above, it would be a quarter of a run.
    from botocore.loaders import create_loader

    partitions = create_loader().load_data("endpoints")["partitions"]
    for partition in partitions:
        if region in partition["regions"]:
            name = str(partition["partition"])
            home = _HOMES.get(name, region)
            return {"region": region, "partition": name, "home": home, "dns_suffix": str(partition["dnsSuffix"])}
    known = sorted(name for partition in partitions for name in partition["regions"])
    near = difflib.get_close_matches(str(region), known, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else "e.g. us-east-1, eu-west-1"
    raise AnsibleFilterError(f"aws_region: {region!r} is no region of AWS; {hint}")


class FilterModule:
    """Ansible asks for this name."""

    def filters(self) -> dict[str, Any]:
        """The filters by their names in templates."""
        return {"aws_place": aws_place}
