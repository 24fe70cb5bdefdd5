"""Prompts, resources and completions, by the official client in both protocol eras."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import PromptReference, ResourceTemplateReference, TextContent, TextResourceContents
from tests.conftest import RunningServer

from aws_finops_mcp.audits.catalogue import TOOLS
from aws_finops_mcp.findings import SavingsAnswer

ERAS = pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
T = TypeVar("T")


def with_client(server: RunningServer, mode: str, work: Callable[[Any], Coroutine[Any, Any, T]]) -> T:
    async def ask() -> T:
        async with Client(f"{server.url}/mcp", mode=mode) as client:
            return await work(client)

    return asyncio.run(asyncio.wait_for(ask(), 60))


@ERAS
def test_each_prompt_names_tools_that_there_are(server: RunningServer, mode: str) -> None:
    async def ask(client: Any) -> dict[str, str]:
        texts = {}
        for prompt in (await client.list_prompts()).prompts:
            assert prompt.description
            got = await client.get_prompt(prompt.name, {"account": "shop"})
            (message,) = got.messages
            assert isinstance(message.content, TextContent)
            texts[prompt.name] = message.content.text
        return texts

    texts = with_client(server, mode, ask)
    assert texts.keys() == {
        "weekly_waste_review",
        "explain_cost_spike",
        "prepare_commitment_purchase",
        "tag_clean_up",
    }
    for text in texts.values():
        assert "'shop'" in text
        assert "`complete` is false" in text
        named = [
            word.strip("(),.;")
            for word in text.split()
            if word.strip("(),.;").startswith(("find_", "get_", "run_", "list_", "explain_", "compare_"))
        ]
        assert named
        assert set(named) <= TOOLS.keys()
    assert {"explain_cost_change", "compare_costs"} <= {
        word.strip("(),.;") for word in texts["explain_cost_spike"].split()
    }


@ERAS
def test_a_check_has_its_documentation_and_its_answers_schema(server: RunningServer, mode: str) -> None:
    async def ask(client: Any) -> tuple[set[str], str, dict[str, Any]]:
        templates = {one.uri_template for one in (await client.list_resource_templates()).resource_templates}
        page = (await client.read_resource("finops://checks/find_unused_volumes")).contents[0]
        schema = (await client.read_resource("finops://schemas/find_unused_volumes")).contents[0]
        assert isinstance(page, TextResourceContents)
        assert isinstance(schema, TextResourceContents)
        return templates, page.text, json.loads(schema.text)

    templates, page, schema = with_client(server, mode, ask)
    assert templates == {
        "finops://checks/{name}",
        "finops://schemas/{name}",
        "finops://audits/{name}",
        "finops://tables/{tool}/{name}",
    }
    assert "ec2:DescribeVolumes" in page
    assert "What to do" in page
    assert "Finding" in schema["$defs"]


@ERAS
def test_an_audits_full_result_is_kept(server: RunningServer, mode: str) -> None:
    async def ask(client: Any) -> tuple[dict[str, Any], SavingsAnswer]:
        result = await client.call_tool("find_savings", {"checks": ["find_unused_volumes"], "max_results": 1})
        shown: dict[str, Any] = result.structured_content or {}
        whole = (await client.read_resource(shown["full_result"])).contents[0]
        return shown, SavingsAnswer.model_validate_json(whole.text)

    shown, whole = with_client(server, mode, ask)
    assert len(shown["savings"]) == 1
    assert len(whole.savings) == 1 + shown["omitted"] > 1


@ERAS
@pytest.mark.parametrize("uri", ["finops://checks/find_gold", "finops://audits/none", "finops://nothing/here"])
def test_what_is_not_there_is_told(server: RunningServer, mode: str, uri: str) -> None:
    async def ask(client: Any) -> str:
        try:
            await client.read_resource(uri)
        except MCPError as error:
            return str(error)
        return "read"

    assert uri.rpartition("/")[2] in with_client(server, mode, ask)


@ERAS
def test_accounts_regions_and_checks_are_completed(server: RunningServer, mode: str) -> None:
    review = PromptReference(type="ref/prompt", name="weekly_waste_review")
    page = ResourceTemplateReference(type="ref/resource", uri="finops://checks/{name}")

    async def ask(client: Any) -> list[list[str]]:
        asked = (
            (review, {"name": "account", "value": "d"}),
            (review, {"name": "regions", "value": "us-east-1,eu-w"}),
            (page, {"name": "name", "value": "find_unused_v"}),
            (review, {"name": "colour", "value": ""}),
        )
        return [(await client.complete(ref, argument)).completion.values for ref, argument in asked]

    accounts, regions, checks, nothing = with_client(server, mode, ask)
    assert accounts == ["default"]
    assert regions == ["us-east-1,eu-west-1", "us-east-1,eu-west-2", "us-east-1,eu-west-3"]
    assert "find_unused_volumes" in checks
    assert all(name.startswith("find_unused_v") for name in checks)
    assert nothing == []
