"""The server: MCP tools, the HTTP application, and who may call."""
