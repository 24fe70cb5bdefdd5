"""What Cost Explorer would have the company commit to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from aws_finops_mcp.demo.prices import HOURS_PER_MONTH


@dataclass(frozen=True)
class Purchase:
    """A commitment of one year without upfront payment, and what it replaces; dollars an hour."""

    hourly: float
    on_demand_hourly: float

    @property
    def commitment_month(self) -> float:
        return self.hourly * HOURS_PER_MONTH

    @property
    def on_demand_month(self) -> float:
        return self.on_demand_hourly * HOURS_PER_MONTH

    @property
    def savings_month(self) -> float:
        return self.on_demand_month - self.commitment_month

    @property
    def percentage(self) -> float:
        return self.savings_month / self.on_demand_month * 100


# search-2 and warehouse-sync, which run day and night outside the existing commitments.
RECOMMENDED_PLAN: Final = Purchase(hourly=0.214, on_demand_hourly=0.2936)
# The orders database.
RECOMMENDED_DATABASE: Final = Purchase(hourly=0.153, on_demand_hourly=0.225)
