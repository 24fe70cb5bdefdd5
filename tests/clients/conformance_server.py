"""The project's HTTP application around an MCP server with what the official conformance suite asks for.

    MCP_SERVER_PORT=... python conformance_server.py

The suite calls tools, reads resources and gets prompts of its own names and contents. Here they stand behind everything
that stands before the SDK in production: gate, request log, trace context, hosts, methods, sizes.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import Any

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.shared.exceptions import MCPError
from mcp.types import (
    MISSING_REQUIRED_CLIENT_CAPABILITY,
    AudioContent,
    ClientCapabilities,
    Completion,
    EmbeddedResource,
    ImageContent,
    MissingRequiredClientCapabilityErrorData,
    SamplingCapability,
    TextContent,
    TextResourceContents,
)

from aws_finops_mcp.server import http
from aws_finops_mcp.server.mcp import CACHED
from aws_finops_mcp.server.serve import serve_alone
from aws_finops_mcp.settings import load_settings

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="

SAMPLING = ClientCapabilities(sampling=SamplingCapability())
IMAGE = ImageContent(type="image", data=PNG, mime_type="image/png")


def text(value: str) -> TextContent:
    return TextContent(type="text", text=value)


def embedded(uri: str, mime_type: str, value: str) -> EmbeddedResource:
    return EmbeddedResource(type="resource", resource=TextResourceContents(uri=uri, mime_type=mime_type, text=value))


def add_tools(mcp: MCPServer[Any]) -> None:
    @mcp.tool()
    def test_simple_text() -> str:
        """A line of text."""
        return "This is a simple text response for testing."

    @mcp.tool()
    def test_image_content() -> list[ImageContent]:
        """An image."""
        return [IMAGE]

    @mcp.tool()
    def test_audio_content() -> list[AudioContent]:
        """A sound."""
        return [AudioContent(type="audio", data=WAV, mime_type="audio/wav")]

    @mcp.tool()
    def test_embedded_resource() -> list[EmbeddedResource]:
        """A resource in the answer."""
        return [embedded("test://embedded-resource", "text/plain", "This is an embedded resource content.")]

    @mcp.tool()
    def test_multiple_content_types() -> list[TextContent | ImageContent | EmbeddedResource]:
        """Text, an image and a resource."""
        data = json.dumps({"test": "data", "value": 123})
        return [
            text("Multiple content types test:"),
            IMAGE,
            embedded("test://mixed-content-resource", "application/json", data),
        ]

    @mcp.tool()
    def test_error_handling() -> str:
        """An error."""
        raise ToolError("This tool intentionally returns an error for testing")

    @mcp.tool()
    async def test_tool_with_progress(context: Context[Any, Any]) -> str:
        """Progress, three times."""
        for done in (0, 50, 100):
            await context.report_progress(done, 100, f"Completed step {done} of 100")
        return "done"

    @mcp.tool()
    async def test_missing_capability(context: Context[Any, Any]) -> str:
        """What only a client that samples may call."""
        if not context.session.check_client_capability(SAMPLING):
            data = MissingRequiredClientCapabilityErrorData(required_capabilities=SAMPLING)
            raise MCPError(MISSING_REQUIRED_CLIENT_CAPABILITY, "sampling is needed", data.model_dump(by_alias=True))
        return "done"


def add_resources(mcp: MCPServer[Any]) -> None:
    @mcp.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:
        return "This is the content of the static text resource."

    @mcp.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:
        return b64decode(PNG)

    @mcp.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def add_prompts(mcp: MCPServer[Any]) -> None:
    @mcp.prompt()
    def test_simple_prompt() -> list[UserMessage]:
        """A prompt."""
        return [UserMessage(text("This is a simple prompt for testing."))]

    @mcp.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> list[UserMessage]:
        """A prompt with arguments."""
        return [UserMessage(text(f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"))]

    @mcp.prompt()
    def test_prompt_with_embedded_resource(resourceUri: str) -> list[UserMessage]:  # noqa: N803 - the suite's own name
        """A prompt with a resource."""
        resource = embedded(resourceUri, "text/plain", "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage(text("Please process the embedded resource above."))]

    @mcp.prompt()
    def test_prompt_with_image() -> list[UserMessage]:
        """A prompt with an image."""
        return [UserMessage(IMAGE), UserMessage(text("Please analyze the image above."))]

    @mcp.completion()  # type: ignore[no-untyped-call, untyped-decorator]
    async def complete(reference: Any, argument: Any, context: Any) -> Completion:
        return Completion(values=[], total=0, has_more=False)


def build_mcp(_: object) -> MCPServer[Any]:
    mcp: MCPServer[Any] = MCPServer("conformance", subscriptions=False, cache_hints=CACHED)
    add_tools(mcp)
    add_resources(mcp)
    add_prompts(mcp)
    return mcp


if __name__ == "__main__":
    setattr(http, "build_mcp", build_mcp)  # noqa: B010 - what the module imports is not its to give
    serve_alone(load_settings())
