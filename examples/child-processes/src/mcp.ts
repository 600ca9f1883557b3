import { ParleyError } from "@parley/core";
import { type Command, StdioClient } from "@parley/transport-stdio";
import { z } from "zod";

const VERSION = "2025-06-18";

const initialized = z.object({ protocolVersion: z.string(), serverInfo: z.object({ name: z.string() }) });
const listed = z.object({ tools: z.array(z.object({ name: z.string() })) });
const called = z.object({
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  isError: z.boolean().optional(),
});

/** A server of the Model Context Protocol, to which the roots are shown. It is greeted at each start, also after a crash. */
export function mcpServer(command: Command, roots: readonly { readonly uri: string }[] = []): StdioClient<"jsonrpc"> {
  return new StdioClient({
    command,
    format: "jsonrpc",
    reconnect: {},
    async onStart(session, options) {
      const clientInfo = { name: "parley-example", version: "1.0.0" };
      const params = { protocolVersion: VERSION, capabilities: { roots: {} }, clientInfo };
      const answer = initialized.parse(await session.request({ method: "initialize", params }, options));
      if (answer.protocolVersion !== VERSION) {
        throw new ParleyError("failed_precondition", `the server speaks MCP ${answer.protocolVersion}, not ${VERSION}`);
      }
      await session.send({ method: "notifications/initialized" });
    },
    onRequest({ method }) {
      if (method === "roots/list") return { roots };
      if (method === "ping") return {};
      throw new ParleyError("unimplemented", `${method} is not offered here`);
    },
    ping: (session, options) => session.request({ method: "ping" }, options),
    cancellation: ({ id, error }) => ({
      method: "notifications/cancelled",
      params: { requestId: id, reason: error.code },
    }),
  });
}

/** The names of the tools that a server has. */
export async function listTools(server: StdioClient<"jsonrpc">): Promise<readonly string[]> {
  const { tools } = listed.parse(await server.request({ method: "tools/list" }));
  return tools.map(({ name }) => name);
}

/** What a tool answers, as text. */
export async function callTool(server: StdioClient<"jsonrpc">, name: string, args: object): Promise<string> {
  const params = { name, arguments: args };
  const { content, isError } = called.parse(await server.request({ method: "tools/call", params }));
  const text = content.map((part) => part.text ?? `(${part.type})`).join("\n");
  if (isError) throw new ParleyError("unknown", `the tool ${name} failed: ${text}`);
  return text;
}
