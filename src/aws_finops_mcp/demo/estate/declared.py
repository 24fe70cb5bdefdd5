"""What is to be made up: an estate is one region of one account; an organisation is many of both."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Final

_REGIONS: Final = ("us-east-1", "eu-west-1", "us-west-2", "eu-central-1", "ap-southeast-2", "ap-northeast-1")
# How 2,000 resources are made up; NAT gateways and instances bring an interface, NAT gateways also an address.
_MIX: Final = {
    "volumes": Fraction(500, 2000),
    "instances": Fraction(200, 2000),
    "nat_gateways": Fraction(10, 2000),
    "addresses": Fraction(80, 2000),
    "network_interfaces": Fraction(90, 2000),
    "log_groups": Fraction(300, 2000),
    "queues": Fraction(150, 2000),
}


@dataclass(frozen=True)
class Estate:
    """Resources of one region by kind; ``idle`` and ``young`` are shares, exact to a thousandth."""

    functions: int = 0
    volumes: int = 0
    # Beside those of NAT gateways.
    addresses: int = 0
    nat_gateways: int = 0
    instances: int = 0
    # Beside those of instances and NAT gateways.
    network_interfaces: int = 0
    log_groups: int = 0
    queues: int = 0
    idle: float = 0.2
    # Looks idle and is too young to be called so; volumes, functions and NAT gateways have such.
    young: float = 0.02

    @property
    def machines(self) -> int:
        """Instances; as many as volumes and addresses need when none are declared."""
        if self.instances or not (self.volumes or self.addresses):
            return self.instances
        return max(1, self.volumes // 4)

    @property
    def total(self) -> int:
        """Everything that listings show."""
        own = self.functions + self.volumes + self.addresses + self.network_interfaces + self.log_groups + self.queues
        return own + 2 * self.machines + 3 * self.nat_gateways


@dataclass(frozen=True)
class Organisation:
    """Member accounts that are alike in numbers and unlike in everything else."""

    accounts: int = 50
    regions: int = 4
    # In each region of each account.
    resources: int = 2000
    seed: int = 7
    idle: float = 0.2
    role: str = "finops-read"
    external_id: str | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.regions <= len(_REGIONS):
            raise ValueError(f"An organisation has 1 to {len(_REGIONS)} regions.")

    @property
    def region_names(self) -> tuple[str, ...]:
        return _REGIONS[: self.regions]

    @property
    def account_ids(self) -> tuple[str, ...]:
        first = 210_000_000_000 + self.seed % 1000 * 1_000_003
        return tuple(str(first + number * 7_919_317) for number in range(self.accounts))

    @property
    def account_names(self) -> dict[str, str]:
        teams = ("checkout", "catalog", "fulfilment", "data", "platform")
        stages = ("production", "staging")
        return {
            identity: f"{teams[number % 5]}-{stages[number // 5 % 2]}-{number // 10 + 1}"
            for number, identity in enumerate(self.account_ids)
        }

    @property
    def estate(self) -> Estate:
        """One region's share; Lambda functions take what rounding leaves."""
        counts = {kind: int(share * self.resources) for kind, share in _MIX.items()}
        rest = self.resources - Estate(**counts, idle=self.idle).total
        return Estate(functions=max(0, rest), **counts, idle=self.idle)
