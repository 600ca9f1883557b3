/** Has MCP's reference server do something of everything. */
import { fileURLToPath } from "node:url";
import { callTool, listTools, mcpServer } from "./mcp.ts";

const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-everything/dist/index.js"));
await using server = mcpServer(["node", program, "stdio"], [{ uri: "file:///tmp/notes" }]);

console.log((await listTools(server)).includes("echo"));
console.log(await callTool(server, "echo", { message: "hello" }));
console.log(await callTool(server, "get-sum", { a: 40, b: 2 }));
// The tool asks back, by a request of its own.
console.log(await callTool(server, "get-roots-list", {}));
console.log((await server.health()).state);
