"""What a tool on costs says of itself; the catalogue makes the rest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import Field

from aws_finops_mcp.chart import Chart
from aws_finops_mcp.costs.answers import BillingAnswer
from aws_finops_mcp.costs.billing import Billing
from aws_finops_mcp.declaration import AskParams
from aws_finops_mcp.findings import Category

ParamsT = TypeVar("ParamsT", bound=AskParams)
AnswerT = TypeVar("AnswerT", bound=BillingAnswer)

Cursor = Annotated[str, Field(pattern=r"^\d{0,9}$", description="next_cursor of the answer before")]
MaxResults = Annotated[int, Field(ge=1, le=500, description="rows to list; totals always cover all")]


@dataclass(frozen=True)
class CostTool(Generic[ParamsT, AnswerT]):
    """One tool.

    Attributes:
        name: the tool's name, as clients call it.
        description: for the assistant that chooses among tools: what it answers, what it costs to ask.
        iam_actions: every IAM action that it may call; without the first there is no answer.
        params: the arguments' model.
        answer_type: the answer's model.
        answer: asks AWS and gives the answer; AWS's refusals are in it, never raised.
        optional_actions: IAM actions that it calls beside them where the operator configured what needs them.
        references: where AWS documents what is asked.
        more: requests that hang on what the first ones say, by IAM action: at most so many, or
            None where AWS's data decide.
        chart: what a picture of the answer shows; None where there is nothing to see, as when it was not read.
    """

    name: str
    title: str
    description: str
    iam_actions: tuple[str, ...]
    params: type[ParamsT]
    answer_type: type[AnswerT]
    answer: Callable[[Billing, ParamsT], AnswerT]
    references: tuple[str, ...]
    category: Category = Category.COST
    optional_actions: tuple[str, ...] = ()
    more: Callable[[ParamsT], Mapping[str, int | None]] | None = None
    chart: Callable[[AnswerT, ParamsT], Chart | None] | None = None
