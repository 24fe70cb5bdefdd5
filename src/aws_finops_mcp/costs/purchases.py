"""What to commit to: Cost Explorer's purchase recommendations, by term and payment option, with break-even."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator

from aws_finops_mcp.costs.answers import BillingAnswer, Model
from aws_finops_mcp.costs.tool import Cursor, MaxResults
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import HOURS_PER_MONTH, Usd
from aws_finops_mcp.settings import known_region, region_names

TERMS = {"ONE_YEAR": 1, "THREE_YEARS": 3}
PAYMENTS = ("NO_UPFRONT", "PARTIAL_UPFRONT", "ALL_UPFRONT")
LOOKBACKS = {7: "SEVEN_DAYS", 30: "THIRTY_DAYS", 60: "SIXTY_DAYS"}


class PurchaseParams(AskParams):
    """Arguments of the tools that tell what to commit to."""

    region_name: str = Field("", description="only commitments of this AWS region, and of none; all when empty")
    term: Literal["ALL", "ONE_YEAR", "THREE_YEARS"] = Field("ALL", description="term; ALL compares both")
    payment_option: Literal["ALL", "NO_UPFRONT", "PARTIAL_UPFRONT", "ALL_UPFRONT"] = Field(
        "NO_UPFRONT", description="payment option; ALL compares them all, at three times the price of asking"
    )
    lookback_days: Literal[7, 30, 60] = Field(30, description="days of usage that AWS looks back over")
    account_scope: Literal["PAYER", "LINKED"] = Field(
        "PAYER", description="PAYER: for the organisation, when asked in its management account; LINKED: this account"
    )

    max_results: MaxResults = 50
    cursor: Cursor = ""

    @field_validator("region_name")
    @classmethod
    def _known(cls, region: str) -> str:
        return known_region(region) if region else region

    @property
    def combinations(self) -> list[tuple[str, str]]:
        """Terms and payment options to ask for."""
        terms = list(TERMS) if self.term == "ALL" else [self.term]
        payments = list(PAYMENTS) if self.payment_option == "ALL" else [self.payment_option]
        return [(term, payment) for term in terms for payment in payments]

    def keeps(self, region: str) -> bool:
        """Whether a commitment's region, as AWS writes it, is asked for; one of no region always is."""
        return not self.region_name or region in ("", "Any", *region_names(self.region_name))


class Purchase(Model):
    """One commitment that AWS recommends. Amounts are for all units of it."""

    what: str = Field(description="plan type, or service")
    item: str = Field(description="instance type, family or plan; how many")
    region: str
    account: str
    term_years: int
    payment_option: str
    hourly_commitment: float = Field(description="dollars an hour, upfront payment included")
    upfront_usd: Usd
    recurring_monthly_usd: Usd
    monthly_saving_usd: Usd
    saving_share: float = Field(description="part of the cost at on-demand prices that it replaces, 0 to 1")
    utilization: float | None = Field(description="AWS's estimate of the part that would be used, 0 to 1")
    cash_break_even_months: float | None = Field(
        description="until the savings on the monthly bill have paid the upfront payment back; 0 without one"
    )
    commitment_break_even_months: float | None = Field(
        description="months of today's usage that cost as much on demand as the whole commitment: it loses money if "
        "the usage ends earlier"
    )


class PurchaseOption(Model):
    """All purchases of one kind, term and payment option together; options of one `choice` exclude each other."""

    choice: str
    what: str
    term_years: int
    payment_option: str
    monthly_saving_usd: Usd
    upfront_usd: Usd
    recurring_monthly_usd: Usd
    best: bool = Field(description="saves most of its choice, and is in the total")


class PurchaseAnswer(BillingAnswer):
    """What AWS recommends to commit to."""

    region: str = Field(description="empty: all")
    lookback_days: int
    monthly_saving_usd: Usd | None = Field(
        description="of the best option of each choice, alternatives not added; null when one could not be read"
    )
    generated: str = Field(description="when AWS made the recommendations; empty: it has made none")
    options: tuple[PurchaseOption, ...]
    purchases: tuple[Purchase, ...] = Field(description="of all options, most valuable first")
    omitted: int = Field(description="purchases that this page leaves out; `options` cover all")
    next_cursor: str = Field("", description="pass as `cursor` for the next page; empty on the last")


@dataclass(frozen=True)
class Terms:
    """What a commitment costs: by the month, `upfront` once."""

    years: int
    upfront: Decimal
    recurring: Decimal
    saving: Decimal

    @property
    def months(self) -> int:
        return self.years * 12

    @property
    def monthly(self) -> Decimal:
        """The commitment by the month, upfront payment spread over the term."""
        return self.recurring + self.upfront / self.months

    @property
    def replaced(self) -> Decimal:
        """What is paid on demand today for what it covers: the commitment and what it saves."""
        return self.monthly + self.saving

    @property
    def hourly(self) -> Decimal:
        return self.monthly / HOURS_PER_MONTH

    @property
    def cash_break_even(self) -> float | None:
        """Upfront payment / (on-demand cost that falls away - recurring payment), in months."""
        gain = self.replaced - self.recurring
        if not self.upfront:
            return 0.0
        return round(float(self.upfront / gain), 1) if gain > 0 else None

    @property
    def commitment_break_even(self) -> float | None:
        """(Upfront payment + all recurring ones) / on-demand cost a month, in months."""
        return round(float(self.monthly * self.months / self.replaced), 1) if self.replaced > 0 else None

    def fields(self) -> dict[str, Any]:
        """The fields of a `Purchase`."""
        return {
            "term_years": self.years,
            "hourly_commitment": round(float(self.hourly), 5),
            "upfront_usd": self.upfront,
            "recurring_monthly_usd": self.recurring,
            "monthly_saving_usd": self.saving,
            "saving_share": round(float(self.saving / self.replaced), 4) if self.replaced else 0.0,
            "cash_break_even_months": self.cash_break_even,
            "commitment_break_even_months": self.commitment_break_even,
        }


def options_of(purchases: Iterable[Purchase], choices: dict[str, str]) -> list[PurchaseOption]:
    """Purchases by kind, term and payment option; the best of each choice is marked.

    Args:
        purchases: what AWS recommends.
        choices: the choice that each kind belongs to, where kinds exclude each other; else a kind is its own.
    """
    groups: dict[tuple[str, int, str], list[Purchase]] = defaultdict(list)
    for one in purchases:
        groups[one.what, one.term_years, one.payment_option].append(one)
    found = [
        PurchaseOption(
            choice=choices.get(what, what),
            what=what,
            term_years=years,
            payment_option=payment,
            monthly_saving_usd=sum((one.monthly_saving_usd for one in some), Decimal(0)),
            upfront_usd=sum((one.upfront_usd for one in some), Decimal(0)),
            recurring_monthly_usd=sum((one.recurring_monthly_usd for one in some), Decimal(0)),
            best=False,
        )
        for (what, years, payment), some in groups.items()
    ]
    found.sort(key=lambda one: (-one.monthly_saving_usd, one.what, one.term_years, one.payment_option))
    seen: set[str] = set()
    marked = []
    for option in found:
        marked.append(option.model_copy(update={"best": option.choice not in seen}))
        seen.add(option.choice)
    return marked


def best_saving(options: Sequence[PurchaseOption]) -> Decimal:
    """What the best option of each choice saves a month."""
    return sum((one.monthly_saving_usd for one in options if one.best), Decimal(0))


def money(text: str | None) -> Decimal:
    """An amount as Cost Explorer writes it."""
    return Decimal(text or 0)
