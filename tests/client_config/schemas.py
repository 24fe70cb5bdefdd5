"""What each client accepts in its file, as its documentation has it: any other key would be ignored in silence."""

from __future__ import annotations

from typing import Any

TEXT = {"type": "string", "minLength": 1}
ADDRESS = {"type": "string", "pattern": "^(https://|http://localhost:)"}
HEADERS = {"type": "object", "additionalProperties": TEXT, "minProperties": 1}
STRICT = {"type": "object", "additionalProperties": False}


def one_of(address: dict[str, Any], command: dict[str, Any]) -> dict[str, Any]:
    shapes = [{**STRICT, "properties": p, "required": required(p)} for p in (address, command) if p]
    return {"oneOf": shapes}


def required(properties: dict[str, Any]) -> list[str]:
    return [name for name in properties if name in {"type", "url", "serverUrl", "command", "args"}]


COMMAND = {"command": TEXT, "args": {"type": "array", "items": TEXT}, "env": HEADERS}
STDIO = {"type": {"const": "stdio"}, **COMMAND}
HTTP = {"type": {"const": "http"}, "url": ADDRESS, "headers": HEADERS}


def oauth(**properties: Any) -> dict[str, Any]:
    return {**STRICT, "properties": properties, "required": list(properties)}


SERVERS = {
    "claude-code": one_of(
        {**HTTP, "headersHelper": TEXT, "oauth": oauth(clientId=TEXT, callbackPort={"type": "integer"})}, STDIO
    ),
    "claude-desktop": one_of({}, COMMAND),
    "kiro": one_of({"url": ADDRESS, "headers": HEADERS, "oauth": oauth(clientId=TEXT, redirectUri=TEXT)}, COMMAND),
    "cursor": one_of({"url": ADDRESS, "headers": HEADERS, "auth": oauth(CLIENT_ID=TEXT)}, COMMAND),
    "vscode": one_of({**HTTP, "oauth": oauth(clientId=TEXT)}, STDIO),
    "windsurf": one_of({"serverUrl": ADDRESS, "headers": HEADERS}, COMMAND),
    "amazon-q": one_of(HTTP, COMMAND),
    "codex": one_of(
        {
            "url": ADDRESS,
            "bearer_token_env_var": TEXT,
            "http_headers": HEADERS,
            "env_http_headers": HEADERS,
            "oauth": oauth(client_id=TEXT),
        },
        COMMAND,
    ),
}

INPUTS = {
    "type": "array",
    "items": oauth(type={"const": "promptString"}, id=TEXT, description=TEXT, password={"const": True}),
}


def schema(client: str) -> dict[str, Any]:
    key = {"vscode": "servers", "codex": "mcp_servers"}.get(client, "mcpServers")
    servers = {"type": "object", "additionalProperties": SERVERS[client], "minProperties": 1}
    inputs = {"inputs": INPUTS} if client == "vscode" else {}
    return {**STRICT, "properties": {key: servers, **inputs}, "required": [key]}
