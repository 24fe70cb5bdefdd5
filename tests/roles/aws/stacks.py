"""What CloudFormation was given: rendered templates, as AWS would read them."""

from __future__ import annotations

from typing import Any

from cfnlint import ManualArgs, lint  # type: ignore[import-untyped]
from cfnlint.decode import decode_str  # type: ignore[import-untyped]
from tests.roles.aws.deployment import REGION, Deployment


def template_text(aws: Deployment, stack: str) -> str:
    """The template of a stack, as it was applied."""
    body = aws.client("cloudformation").get_template(StackName=stack, TemplateStage="Original")["TemplateBody"]
    return str(body)


def template_of(aws: Deployment, stack: str) -> dict[str, Any]:
    """The same, read."""
    read, problems = decode_str(template_text(aws, stack))
    assert not problems, problems
    return dict(read)


def resources(aws: Deployment, stack: str) -> dict[str, Any]:
    """Its resources' properties, by their names in the template."""
    found: dict[str, Any] = template_of(aws, stack)["Resources"]
    return {name: one.get("Properties", {}) for name, one in found.items()}


def lint_problems(aws: Deployment, stack: str) -> list[str]:
    """What cfn-lint says of it: types, properties, values, references."""
    found = lint(template_text(aws, stack), config=ManualArgs(regions=[REGION]))
    return [f"{one.rule.id} line {one.linenumber}: {one.message}" for one in found]
