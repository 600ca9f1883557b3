import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { type AddressInfo, connect, createServer } from "node:net";
import { promisify } from "node:util";
import { Aedes } from "aedes";
import { afterAll, describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { compile } from "./compile.ts";
import { type Snippets, snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

const folders: string[] = [];

// Not the folder that they are in: other tests run at the same time.
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function ownSnippets(page: string, replace: (text: string) => string): Snippets {
  const snippets = snippetsOf(page, replace);
  folders.push(snippets.folder);
  return snippets;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address ? address.port : 0;
}

/** Waits until somebody listens at a port. */
async function listened(port: number): Promise<void> {
  for (let open = false; !open; ) {
    const socket = connect(port, "127.0.0.1");
    open = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
  }
}

describe("the program in", () => {
  it.each([
    ["packages/core/README.md", "HELLO\none\nat\na\ntime\n"],
    ["packages/transport-ws/README.md", "Hello, Ada!\n"],
    ["packages/transport-http/README.md", "{ summary: 'Long story' }\n"],
    ["docs/resilience.md", "1 transfer, breaker closed\n"],
    ["docs/resilience.md", "Oslo, Ostrava, Osaka\nmemory://west unavailable\n", "replicas.ts"],
    ["docs/security.md", "scheduler may time\n"],
    ["docs/security.md", "grace is busy\n", "topics.ts"],
    ["packages/auth/README.md", "Hello, ada!\npermission_denied\n"],
    ["packages/transport-grpc/README.md", "Hello, Ada!\n"],
    ["packages/transport-sse/README.md", "one\ntwo\n"],
    ["packages/transport-stdio/README.md", "Hello, Ada!\n"],
  ])("%s compiles, runs, and ends by itself", async (page, printed, file = "main.ts") => {
    const port = await freePort();
    const snippets = ownSnippets(page, (text) => text.replaceAll(":7070", `:${port}`));
    await compile(snippets);
    const { stdout } = await run(
      process.execPath,
      [snippets.files.find((one) => one === file) ?? snippets.files[0] ?? ""],
      { cwd: snippets.folder },
    );
    expect(stdout).toBe(printed);
  });

  it("packages/transport-mqtt/README.md compiles, runs, and ends by itself, with a broker", async () => {
    const aedes = await Aedes.createBroker();
    // A broker that waits to fill packets would make each call wait.
    const broker = createServer({ noDelay: true }, aedes.handle).listen(0, "127.0.0.1");
    await once(broker, "listening");
    const { port } = broker.address() as AddressInfo; // a TCP server's address is an object
    try {
      const snippets = ownSnippets("packages/transport-mqtt/README.md", (text) => text.replaceAll(":1883", `:${port}`));
      await compile(snippets);
      const { stdout } = await run(process.execPath, [snippets.files[0] ?? ""], { cwd: snippets.folder });
      expect(stdout).toBe("Hello, Ada!\nada cheerful\n");
    } finally {
      aedes.close();
      broker.close();
    }
  });

  it("docs/clients/ws.md compiles and runs against a plain server, which cuts it once", async () => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    let connections = 0;
    server.on("connection", (peer, { headers }) => {
      const first = ++connections === 1;
      peer.on("message", (data) => {
        peer.send(
          JSON.stringify({
            for: headers.authorization,
            asked: JSON.parse(String(data)),
            ...(first ? {} : { last: true }),
          }),
        );
        if (first) peer.send("{}", () => peer.terminate());
      });
    });
    const { port } = server.address() as AddressInfo; // a TCP server's address is an object
    try {
      const snippets = snippetsOf("docs/clients/ws.md", (text) => text.replaceAll(":7070", `:${port}`));
      await compile(snippets);
      const { stdout } = await run(process.execPath, ["websocket-client.ts"], { cwd: snippets.folder });
      expect(stdout).toBe(
        [
          "{ for: 'Bearer t0ken', asked: { subscribe: 'EUR' } }",
          "{}",
          "closed: 1006 coming back",
          "{ for: 'Bearer t0ken', asked: { subscribe: 'EUR' }, last: true }",
          "closed: 1000 for good",
          "",
        ].join("\n"),
      );
    } finally {
      server.close();
    }
  });

  it.each([
    ["connection-manager.ts", "price of EUR\nprices open true\norders idle true\n"],
    ["connection-pool.ts", "100 answers by 5 connections\n"],
    ["shared-options.ts", "price of EUR\nhello\n"],
  ])("docs/clients.md, %s, compiles, runs against a plain server, and ends by itself", async (file, printed) => {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    await once(server, "listening");
    server.on("connection", (peer) => {
      peer.on("message", (data) => peer.send(JSON.stringify(`price of ${JSON.parse(String(data))}`)));
    });
    const { port } = server.address() as AddressInfo; // a TCP server's address is an object
    try {
      const snippets = snippetsOf("docs/clients.md", (text) => text.replaceAll(":7071", `:${port}`));
      await compile(snippets);
      const { stdout } = await run(process.execPath, [file], { cwd: snippets.folder });
      expect(stdout).toBe(printed);
    } finally {
      server.close();
    }
  });

  it("docs/clients.md, credentials.ts, compiles, and shows who calls to plain servers", async () => {
    const who = ({ headers }: IncomingMessage): string => headers.authorization ?? `key ${headers["x-api-key"]}`;
    const server = createHttpServer((request, response) => {
      if (request.url !== "/token") return response.end(who(request));
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ access_token: "fr0m-server", token_type: "Bearer", expires_in: 600 }));
    });
    const sockets = new WebSocketServer({ server });
    sockets.on("connection", (peer, request) => peer.send(JSON.stringify(who(request))));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const { port } = server.address() as AddressInfo; // a TCP server's address is an object
    try {
      const snippets = ownSnippets("docs/clients.md", (text) => text.replaceAll(":7071", `:${port}`));
      await compile({ ...snippets, files: ["credentials.ts"] });
      const { stdout } = await run(process.execPath, ["credentials.ts"], { cwd: snippets.folder });
      const shown = [
        "key k3y",
        "Basic YWRhOmxvdmVsYWNl",
        "Bearer t0ken",
        "Bearer fr0m-server",
        "Bearer t0ken",
        "t0ken",
      ];
      expect(stdout).toBe(`${shown.join("\n")}\n`);
    } finally {
      sockets.close();
      server.closeAllConnections();
      server.close();
    }
  });

  it("the repository compiles, and its server answers its client and curl", async () => {
    const ports = { "7070": await freePort(), "8080": await freePort() };
    const snippets = ownSnippets("README.md", (text) =>
      text.replaceAll(/:(7070|8080)/g, (_, port: "7070" | "8080") => `:${ports[port]}`),
    );
    await compile(snippets);
    const server: ChildProcess = spawn(process.execPath, ["server.ts"], { cwd: snippets.folder, stdio: "inherit" });
    try {
      await listened(ports["8080"]);
      const { stdout } = await run(process.execPath, ["client.ts"], { cwd: snippets.folder });
      expect(stdout).toBe("A summary is its beginning.\none\nword\nat\na\ntime\n");
      const curl = snippets.commands.find((line) => line.startsWith("curl")) ?? "";
      expect(JSON.parse((await run("sh", ["-c", `${curl} --silent --show-error`])).stdout)).toEqual({ summary: "…" });
    } finally {
      server.kill();
      await once(server, "exit");
    }
  });
});
