// The official TypeScript SDK, which Cursor, VS Code, Windsurf and others speak MCP with:
// node sdk.mjs '{"url": …, "headers": {…}}' prints the tools' names and the answer of one of them, as JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const { url, headers } = JSON.parse(process.argv[2]);
const client = new Client({ name: "test", version: "1" });
try {
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  const { tools } = await client.listTools();
  const answer = await client.callTool({ name: "find_unused_volumes", arguments: { region_name: "us-east-1" } });
  console.log(JSON.stringify({ tools: tools.map((tool) => tool.name), answer: answer.structuredContent }));
  await client.close();
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
