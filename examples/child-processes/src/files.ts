/** Has MCP's file server write and read a file in a folder, `node src/files.ts <folder>`, and refuse to leave it. */
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { callTool, mcpServer } from "./mcp.ts";

const folder = resolve(process.argv[2] ?? ".");
const program = fileURLToPath(import.meta.resolve("@modelcontextprotocol/server-filesystem/dist/index.js"));
await using server = mcpServer(["node", program, folder]);

const path = join(folder, "note.txt");
await callTool(server, "write_file", { path, content: "remember the milk" });
console.log(await callTool(server, "read_text_file", { path }));
console.log(await callTool(server, "read_text_file", { path: "/etc/passwd" }).catch(({ message }) => message));
