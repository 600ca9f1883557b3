import { execFile } from "node:child_process";
import { once } from "node:events";
import { rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { certificates } from "@parley/test-certificates";
import { afterAll, describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

/** Services that know nothing of Parley, on `node:http` alone. */
const routes: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse, body: string) => unknown>> =
  {
    "/v1/users": ({ method = "", url = "", headers }, response, body) => {
      response.setHeader("content-type", "application/json");
      const { search } = new URL(url, "http://localhost");
      response.end(method === "POST" ? `created ${body}` : JSON.stringify([decodeURI(search), headers["x-tenant"]]));
    },
    "/v1/users/1": ({ method, headers }, response, body) => {
      if (method === "DELETE") response.writeHead(204).end();
      else response.end(`${headers["content-type"]}: ${body}`);
    },
    "/upload": async ({ headers }, response, body) => {
      const form = await new Response(body, { headers: { "content-type": headers["content-type"] ?? "" } }).formData();
      const file = form.get("file") as File; // what the snippet sends
      response.end(`${form.get("title")}: ${file.name}, ${file.type}, ${file.size}`);
    },
    "/echo": (_request, response, body) => response.end(body.toUpperCase()),
    "/busy": (() => {
      let asked = 0;
      return (_request: IncomingMessage, response: ServerResponse) => {
        asked++;
        if (asked === 1) response.writeHead(429, { "retry-after": "0" }).end();
        else response.writeHead(asked === 2 ? 503 : 200).end("at last");
      };
    })(),
    "/moved": (_request, response) => response.writeHead(302, { location: "/new" }).end(),
    "/new": (_request, response) => response.end(),
    "/news": ({ headers }, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      if (headers["last-event-id"] === "2") response.write("id: 3\ndata: storm\n\n");
      else response.end("event: calm\nid: 1\ndata: sun\n\nid: 2\ndata: rain\n\n");
    },
    "/v1/chat/completions": (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      for (const content of ["Hel", "lo!\n"]) {
        response.write(`data: ${JSON.stringify({ choices: [{ delta: { content } }] })}\n\n`);
      }
      response.end("data: [DONE]\n\n");
    },
  };

async function portOf(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port; // a TCP server's address is an object
}

describe("the programs of docs/clients for HTTP and SSE", async () => {
  const { ca, serverCert, serverKey, clientCert, clientKey } = certificates;
  const plain = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request.setEncoding("utf8")) body += chunk;
    const route = routes[new URL(request.url ?? "", "http://localhost").pathname];
    if (route) await route(request, response, body);
    else response.writeHead(404).end();
  });
  const secure = createSecureServer(
    { cert: serverCert, key: serverKey, ca, requestCert: true },
    ({ socket }, response) => {
      response.end((socket as TLSSocket).getPeerCertificate().subject.CN); // a server of node:https has no other sockets
    },
  );
  const ports: Readonly<Record<string, number>> = { 7070: await portOf(plain), 7443: await portOf(secure) };
  const pages = ["docs/clients/http.md", "docs/clients/sse.md"].map((page) =>
    snippetsOf(page, (text) => text.replaceAll(/:(7070|7443)/g, (_, port) => `:${ports[port]}`)),
  );
  const pem = { "ca.pem": ca, "client.pem": clientCert, "client-key.pem": clientKey };
  for (const { folder } of pages)
    for (const [name, text] of Object.entries(pem)) writeFileSync(join(folder, name), text);

  afterAll(() => {
    for (const server of [plain, secure]) {
      server.closeAllConnections();
      server.close();
    }
    for (const { folder } of pages) rmSync(folder, { recursive: true, force: true });
  });

  it.each(pages)("compile: $files", (page) => compile(page), 30_000);

  it.each([
    [
      "http-requests.ts",
      "200 application/json [ '?name=Ada+L&limit=2&tag=a&tag=b', 'blue' ]\ntrue\n" +
        'created {"name":"Ada"}\napplication/x-www-form-urlencoded;charset=UTF-8: name=Ada&age=36\n' +
        "text/plain;charset=UTF-8: plain text\n204\n",
    ],
    ["http-streams.ts", "People: people.csv, text/csv, 16\nONE\nTWO\nTHREE\n"],
    [
      "http-faults.ts",
      "attempt 1: resource_exhausted\nattempt 2: unavailable\nat last\ntrue\nnot_found rejected 404\n",
    ],
    ["http-tls.ts", "client\n"],
    ["sse-events.ts", "connecting\nopen\ncalm 1 sun\nmessage 2 rain\nreconnecting\nopen\nmessage 3 storm\nclosed\n"],
    ["sse-completion.ts", "Hello!\n"],
  ])("%s runs, and ends by itself", async (file, printed) => {
    const { stdout } = await run(process.execPath, [file], {
      cwd: pages.find(({ files }) => files.includes(file))?.folder,
    });
    expect(stdout).toBe(printed);
  });
});
