"""FSx: what of a file system has a price, and what is said to have none."""

from __future__ import annotations

from typing import Any

import pytest

from aws_finops_mcp.checks.file_systems import fsx_cost


def cost(kind: str, configuration: dict[str, Any] | None = None, medium: str = "SSD") -> tuple[dict[str, float], int]:
    own = {"WINDOWS": "WindowsConfiguration", "OPENZFS": "OpenZFSConfiguration", "LUSTRE": "LustreConfiguration"}[kind]
    system = {"FileSystemType": kind, "StorageCapacity": 1200, "StorageType": medium, own: configuration or {}}
    parts, unpriced = fsx_cost(system)
    return {str(part.unit): float(part.quantity) for part in parts}, len(unpriced)


@pytest.mark.parametrize(
    ("deployment", "medium", "key"),
    [
        ("SINGLE_AZ_1", "SSD", "fsx.windows.single_az"),
        ("SINGLE_AZ_2", "HDD", "fsx.windows.single_az"),
        ("MULTI_AZ_1", "SSD", "fsx.windows.multi_az"),
    ],
)
def test_windows_is_billed_by_zones_storage_and_throughput(deployment: str, medium: str, key: str) -> None:
    found = cost("WINDOWS", {"DeploymentType": deployment, "ThroughputCapacity": 32}, medium)
    assert found == ({f"{key}.{medium.lower()}.storage": 1200, f"{key}.throughput": 32}, 0)


def test_iops_that_were_added_are_said_to_have_no_price() -> None:
    configuration = {
        "DeploymentType": "SINGLE_AZ_1",
        "ThroughputCapacity": 64,
        "DiskIopsConfiguration": {"Mode": "USER_PROVISIONED", "Iops": 9000},
    }
    parts, unpriced = cost("OPENZFS", configuration)
    assert (len(parts), unpriced) == (2, 1)


@pytest.mark.parametrize("throughput", [50, 125, 1000])
def test_lustres_storage_includes_its_throughput(throughput: int) -> None:
    configuration = {"DeploymentType": "PERSISTENT_2", "PerUnitStorageThroughput": throughput}
    assert cost("LUSTRE", configuration) == ({f"fsx.lustre.ssd.{throughput}.storage": 1200}, 0)


@pytest.mark.parametrize(
    ("kind", "configuration", "medium"),
    [
        ("LUSTRE", {"DeploymentType": "SCRATCH_2"}, "SSD"),
        ("LUSTRE", {"DeploymentType": "PERSISTENT_1", "PerUnitStorageThroughput": 12}, "HDD"),
        ("OPENZFS", {"DeploymentType": "SINGLE_AZ_HA_2", "ThroughputCapacity": 160}, "SSD"),
        ("OPENZFS", {"DeploymentType": "SINGLE_AZ_1", "ThroughputCapacity": 160}, "INTELLIGENT_TIERING"),
        ("WINDOWS", {}, "SSD"),
    ],
)
def test_what_has_no_price_here_is_unpriced_as_a_whole(kind: str, configuration: dict[str, Any], medium: str) -> None:
    assert cost(kind, configuration, medium) == ({}, 1)
