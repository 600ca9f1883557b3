import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { agent, serve } from "@parley/core";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { ws } from "@parley/transport-ws";
import { peers } from "./contract.ts";

const desk = agent(peers, {
  shout: ({ text }) => ({ text: text.toUpperCase() }),
  async *count({ to }) {
    for (let number = 1; number <= to; number++) yield { number };
  },
  note: ({ from, text }) => console.log(`${from}: ${text}`),
});

const page = await readFile(new URL("../page.html", import.meta.url));
// What is not for the agent stays with the server's owner: here, a page.
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(page);
});
await new Promise<void>((resolve) => server.listen(Number(process.argv[2] ?? 7070), "127.0.0.1", resolve));
const { port } = server.address() as { readonly port: number };
const origin = `http://127.0.0.1:${port}`;

// One port, three wires.
const served = await serve(
  desk,
  ["http", "sse", "ws"].map((scheme) => `${scheme}://127.0.0.1:${port}`),
  { transports: [http({ server }), sse({ server }), ws({ server, allowedOrigins: [origin] })] },
);
console.log(`agent at ${origin}`);

process.once("SIGTERM", async () => {
  await served.close();
  server.close();
  server.closeAllConnections();
});
