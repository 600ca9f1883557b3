import { createServer } from "node:http";
import { Client, StreamableHTTPClientTransport, type Transport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { type NodeIncomingMessageLike, toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, McpServer, type PerRequestResponseMode } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";
import { type CallingSide, type Contender, check } from "../../contender.ts";
import { type StreamRequest, serialOf } from "../../payload.ts";
import { servingHttp } from "../serving.ts";
import { stdioCommand } from "../stdio-command.ts";
import { checkItems, itemsOf } from "./items.ts";

const about = { name: "bench", version: "1.0.0" };

const echoed = z.looseObject({ serial: z.number() });
const asked = z.looseObject({ items: z.number() });

/** A request is the call of a tool; a stream is one that tells its progress, an item at a time, as JSON: MCP has no other. */
function server(): McpServer {
  const server = new McpServer(about);
  server.registerTool("echo", { inputSchema: echoed }, (data) => ({ content: [text(data)] }));
  server.registerTool("stream", { inputSchema: asked }, async (input, { mcpReq }) => {
    const progressToken = mcpReq._meta?.progressToken ?? 0;
    for (const item of itemsOf(input as unknown as StreamRequest)) {
      const params = { progressToken, progress: item.serial, message: JSON.stringify(item) };
      await mcpReq.notify({ method: "notifications/progress", params });
    }
    return { content: [] };
  });
  return server;
}

/** MCP over the stdin and stdout of a child. */
export const mcpStdio: Contender = {
  async serve() {
    const serving = serveStdio(server);
    return { url: "stdio:", close: () => serving.close() };
  },
  async connect() {
    const [command, ...args] = stdioCommand("mcp");
    return callingSide(new StdioClientTransport({ command, args }));
  },
};

/** MCP's Streamable HTTP, whose answers are JSON but of calls that tell their progress. */
export const mcpHttp: Contender = overHttp("auto");

/** The same with all answers as event streams. */
export const mcpSse: Contender = overHttp("sse");

function overHttp(responseMode: PerRequestResponseMode): Contender {
  return {
    serve() {
      const handle = toNodeHandler(createMcpHandler(server, { responseMode }));
      // The type has not got that members of Node may be undefined.
      return servingHttp(
        createServer((request, response) => void handle(request as NodeIncomingMessageLike, response)),
      );
    },
    connect: (url) => callingSide(new StreamableHTTPClientTransport(new URL(url)), "2026-07-28"),
  };
}

async function callingSide(transport: Transport, pin?: string): Promise<CallingSide> {
  const client = new Client(about, pin === undefined ? {} : { versionNegotiation: { mode: { pin } } });
  const streams = new Map<unknown, (message: string | undefined) => void>();
  // The SDK's own `onprogress` loses what is read together with the result that follows it.
  client.setNotificationHandler("notifications/progress", ({ params }) =>
    streams.get(params.progressToken)?.(params.message),
  );
  await client.connect(transport);
  let calls = 0;
  return {
    async request(data) {
      const { content } = await client.callTool({ name: "echo", arguments: data });
      const [first] = content;
      check("the reply's serial", serialOf(first?.type === "text" ? JSON.parse(first.text) : undefined), data.serial);
    },
    async stream(asked) {
      const items = checkItems(asked);
      const progressToken = ++calls;
      const failed = Promise.withResolvers<never>();
      streams.set(progressToken, (message = "null") => {
        try {
          items.item(JSON.parse(message));
        } catch (error) {
          failed.reject(error);
        }
      });
      const call = { name: "stream", arguments: { ...asked }, _meta: { progressToken } };
      await Promise.race([client.callTool(call), failed.promise]);
      streams.delete(progressToken);
      items.end();
    },
    close: () => client.close(),
  };
}

function text(data: unknown): { readonly type: "text"; readonly text: string } {
  return { type: "text", text: JSON.stringify(data) };
}
