"""Prompts: the reviews that people do, as instructions that name the tools."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer

_RULES = (
    "Say where `complete` is false and what was not read; never take `unknown` for waste or for no waste. Give each "
    "saving with its resource, its evidence and its price's source, and say that it is at list price. Nothing is "
    "changed by these tools: end with what the owner would do, in the order of dollars."
)


def add_prompts(mcp: MCPServer[Any]) -> None:
    """Add them all. An empty `account` is the first; an empty `regions` the server's own region."""

    @mcp.prompt(title="Weekly waste review")
    def weekly_waste_review(account: str = "", regions: str = "") -> str:
        """What is wasted in one account, ranked, with what to do first."""
        return (
            f"Review the waste of AWS account {_named(account)} in {_where(regions)}. Call find_savings with "
            f"account={account!r} and regions={regions or '[]'!r}. For the five largest rows call run_check with the "
            "row's check and region to get the evidence and what still refers to the resource. Group by owner tag "
            f"(Team, Owner, CostCenter) where there is one. {_RULES}"
        )

    @mcp.prompt(title="Explain a spike in cost")
    def explain_cost_spike(account: str = "", start_date: str = "", end_date: str = "") -> str:
        """Why a period cost more than the one before."""
        period = f"from {start_date} to {end_date}" if start_date and end_date else "of last month"
        return (
            f"Explain the cost {period} of AWS account {_named(account)}. Call explain_cost_change for that period and "
            "the one of the same length before it; compare_costs tells the difference by another dimension or tag. "
            "Keep credits, refunds and tax apart from usage. get_daily_cost_trend tells the days that stand out, "
            "get_cost_anomalies what AWS found. For the services that grew most, look for causes with list_checks and "
            f"run_check (idle, costly and degraded resources of that service). {_RULES}"
        )

    @mcp.prompt(title="Prepare a commitment purchase")
    def prepare_commitment_purchase(account: str = "", regions: str = "") -> str:
        """What to clean up before committing to spend, and on what."""
        return (
            f"Prepare a Savings Plans or reservations purchase for AWS account {_named(account)} in {_where(regions)}. "
            "A commitment must not cover waste: call find_savings first and take off what is idle, underused or will "
            "move to another generation. Then call analyze_reserved_instance_utilization for what is owned, how it is "
            "used and when it ends, get_savings_plans_recommendations, get_reserved_instance_recommendations for "
            "databases, and get_cost_by_service for the last full month with metric AmortizedCost. State the steady "
            "part that remains for compute and databases, what was not read, and the "
            f"risk of each term. {_RULES}"
        )

    @mcp.prompt(title="Tag clean-up")
    def tag_clean_up(account: str = "", regions: str = "", required_tags: str = "") -> str:
        """Which resources lack the tags that cost allocation needs."""
        tags = required_tags or "Owner, Team, Environment, CostCenter"
        return (
            f"Find what lacks tags in AWS account {_named(account)} in {_where(regions)}: required are {tags}. Call "
            "list_checks with category=governance and run the tag checks for each region with these tags. Rank by "
            f"cost where it is known, propose a value from the resource's name, stack or neighbours, and mark it as a "
            f"proposal. {_RULES}"
        )


def _named(account: str) -> str:
    return repr(account) if account else "(the server's first)"


def _where(regions: str) -> str:
    return f"the regions {regions}" if regions else "the server's own region"
