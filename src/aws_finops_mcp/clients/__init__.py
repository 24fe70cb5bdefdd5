"""The MCP clients that people use: what to write where, so that each reaches the server on the first try."""
