"""What a tool says of itself, once: schema, IAM policy, reference docs and tests are derived from it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, TypeVar, get_args

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WithJsonSchema,
    field_validator,
    model_validator,
)
from pydantic_core import from_json

from aws_finops_mcp.chart import Chart
from aws_finops_mcp.findings import Answer, Category
from aws_finops_mcp.settings import known_region


class Params(BaseModel):
    """Arguments of a tool: strict, so that a misspelt one is an error and not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    @model_validator(mode="before")
    @classmethod
    def _null_is_empty(cls, given: dict[str, Any]) -> dict[str, Any]:
        """Clients spell out null for a text or a list that they leave empty."""
        empty = {name for name, field in cls.model_fields.items() if field.default in ("", ())}
        return {name: value for name, value in given.items() if value is not None or name not in empty}


def from_text(value: Any) -> Any:
    """Assistants often write a list or an object as a string."""
    if isinstance(value, str):
        text = value.strip()
        if text[:1] in ("[", "{"):
            try:
                return from_json(text)
            except ValueError:
                return value
        return [part.strip() for part in text.split(",") if part.strip()]
    return value


class BudgetParams(BaseModel):
    """What one answer may use; what is not given is the server's."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    calls: int | None = Field(None, ge=1)
    usd: Decimal | None = Field(None, ge=0)
    seconds: float | None = Field(None, gt=0, le=3600)


class AskParams(Params):
    """Arguments of every tool that asks AWS."""

    account: str = Field("", description="alias of a configured account; the first when empty")
    budget: Annotated[
        BudgetParams,
        BeforeValidator(from_text),
        WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}, "default": {}}),
    ] = Field(default_factory=BudgetParams, description="limits: calls, usd, seconds")


FindingField = Literal[
    "resource_id", "name", "verdict", "reason", "evidence", "tags", "managed_by", "referred_by", "saving"
]
FINDING_FIELDS = get_args(FindingField)


class RegionParams(AskParams):
    """Arguments of a tool that reads one region."""

    region_name: str = Field("", description="AWS region; the server's own when empty")
    max_results: int = Field(100, ge=1, le=500, description="findings to list; totals cover all")
    cursor: str = Field("", description="next_cursor of the answer before")
    detail: Literal["summary", "normal", "full"] = Field(
        "normal", description="summary: totals only; full: resources in use or too new too"
    )
    fields: Annotated[
        tuple[FindingField, ...],
        BeforeValidator(from_text),
        WithJsonSchema({"type": "array", "items": {"type": "string", "enum": list(FINDING_FIELDS)}, "default": []}),
    ] = Field((), description="fields of each finding; all when empty")

    @field_validator("region_name")
    @classmethod
    def _known(cls, region: str) -> str:
        return known_region(region) if region else region


class PeriodParams(RegionParams):
    """Arguments of a tool that looks back over days of metrics."""

    period: int = Field(ge=1, le=455, description="days to look back")


class ArgumentsError(Exception):
    """The arguments of a call are wrong. The message names each, what was given, and what would be right."""


ContextT = TypeVar("ContextT")
ParamsT = TypeVar("ParamsT", bound=Params)
AnswerT = TypeVar("AnswerT", bound=Answer)


@dataclass(frozen=True)
class Declaration(Generic[ContextT, ParamsT, AnswerT]):
    """One tool.

    Attributes:
        name: the tool's name, as clients call it.
        description: for the assistant that chooses among tools: what it answers, what it costs to ask.
        iam_actions: every IAM action that the tool may call, and no other.
        optional_actions: those that it calls beside them where the operator configured what needs them.
        params: the arguments' model.
        answer_type: the answer's model.
        answer: gives the answer.
        chart: makes of an answer what a picture of it shows, for tools with the argument `picture`.
    """

    name: str
    title: str
    category: Category
    description: str
    iam_actions: tuple[str, ...]
    params: type[ParamsT]
    answer_type: type[AnswerT]
    answer: Callable[[ContextT, ParamsT], AnswerT]
    references: tuple[str, ...] = ()
    optional_actions: tuple[str, ...] = ()
    chart: Callable[[AnswerT, ParamsT], Chart | None] | None = None

    def input_schema(self) -> dict[str, Any]:
        """JSON Schema of the arguments, without pydantic's generated titles."""
        schema = self.params.model_json_schema()
        return {k: _without(("title",), v) for k, v in schema.items() if k not in ("description", "title")}

    def output_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer, its outermost members only: every client pays for the whole list of tools.

        The whole schema is the resource `finops://schemas/<tool>`.
        """
        schema = self.whole_output_schema()
        members = {name: _outline(member) for name, member in schema["properties"].items()}
        return {"type": "object", "properties": members, "required": schema["required"]}

    def whole_output_schema(self) -> dict[str, Any]:
        """JSON Schema of the answer, with descriptions."""
        return self.answer_type.model_json_schema(mode="serialization")

    def parse(self, arguments: Mapping[str, Any]) -> ParamsT:
        """Check a caller's arguments.

        Raises:
            ArgumentsError: naming each wrong argument.
        """
        refused = [name for name in arguments if name.lower().replace("-", "_") in _CREDENTIALS]
        if refused:
            raise ArgumentsError(
                f"{', '.join(refused)}: credentials are never taken as arguments, where transcripts and logs "
                "would keep them; the server reads with the account that its operator configured"
            )
        try:
            return self.params.model_validate(dict(arguments))
        except ValidationError as error:
            raise ArgumentsError("; ".join(self._describe(e) for e in error.errors())) from None

    def _describe(self, error: Any) -> str:
        name = ".".join(str(part) for part in error["loc"]) or "arguments"
        if error["type"] == "extra_forbidden":
            known = list(self.params.model_fields)
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(known)}"
            return f"{name}: {self.name} has no such argument; {hint}"
        if error["type"] == "missing":
            return f"{name}: missing; {self.name} needs it"
        return f"{name}: got {error['input']!r}; {error['msg'].removeprefix('Value error, ')}"


_CREDENTIALS = frozenset(
    [
        "access_key",
        "access_key_id",
        "aws_access_key",
        "aws_access_key_id",
        "secret_key",
        "secret_access_key",
        "aws_secret_key",
        "aws_secret_access_key",
        "api_key",
        "credentials",
        "session_token",
        "aws_session_token",
        "profile_name",
        "role_arn",
        "external_id",
        "password",
        "token",
        "secret",
    ]
)


def _outline(schema: dict[str, Any]) -> dict[str, Any]:
    """What kind of value it is, and no more."""
    kinds = [one.get("type", "object") for one in schema.get("anyOf", [schema])]
    return {"type": kinds if len(kinds) > 1 else kinds[0]}


def _without(keys: tuple[str, ...], schema: Any) -> Any:
    """A schema without some annotations; properties that are called like one stay."""
    if isinstance(schema, list):
        return [_without(keys, item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {k: _without(keys, v) for k, v in value.items()}
        if key in ("properties", "$defs")
        else _without(keys, value)
        for key, value in schema.items()
        if not (key in keys and isinstance(value, str))
    }
