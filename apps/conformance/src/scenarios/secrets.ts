import { once } from "node:events";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { inspect } from "node:util";
import type { LogEntry } from "@parley/core/transport";
import type { Environment } from "../environment.ts";
import type { Scenario } from "../scenario.ts";
import { wayTo } from "./way.ts";

/** AUTH: what must not be told. */
export const secretScenarios: readonly Scenario[] = [
  {
    id: "AUTH-04",
    group: "AUTH",
    level: "must",
    title:
      "A caller's credential goes to whom it dials, and nowhere else: not into errors, logs and reports, not to the handler, and not where a redirect points.",
    needs: { kinds: ["request"], credentials: true },
    mutants: ["tells-its-credential", "tells-its-password", "tells-its-address"],
    limit: 20,
    async run(env) {
      const credential = `canary-${env.random.hex(24)}`;
      const tuning = { credential };
      const told: unknown[] = [];
      const log = (entry: LogEntry): void => void told.push(entry);
      const fails = async (what: string, promise: Promise<unknown>): Promise<void> => {
        told.push(await env.within(`the end of ${what}`, env.calls.error(what, promise), 3 * env.t));
      };
      const way = await wayTo(env);
      const connection = await env.within("connect()", env.dial({ url: way.url, tuning, log }));
      const made = env.calls.make(connection, "request", "echo", { data: "hello" });
      env.caller.equal("the answer", (await env.within("an answer", made.reply)).message?.data, "hello");
      env.handler.equal("whether the handler's message holds it", holds(await env.called(made.id), credential), false);
      // Headers of HTTP/2 are packed.
      if (env.tapping !== "bytes")
        env.wire.ok("the credential to have been sent", env.tap.contains("dialler", credential));
      await fails(
        "a request that fails",
        env.calls.request(connection, "fail", { data: { code: "aborted", message: "no" } }),
      );
      await fails("a request of nothing", env.calls.request(connection, "nowhere", { data: 1 }));
      const cut = env.calls.make(connection, "request", "gate", { data: { gate: "auth4" } });
      await env.event(cut.id, "gate");
      way.cut("rst");
      await fails("a request that is cut", cut.reply);
      // Not every broker tells the handler that its caller is gone.
      await env.serving.release("auth4");
      way.block();
      await fails("to dial who hangs up", env.dial({ url: way.url, tuning, log }));
      way.clear();
      for await (const { what, url } of elsewhere(env)) await fails(what, env.dial({ url, tuning, log }));
      if (env.tapping === "http" || env.tapping === "websocket") await notRedirected(env, fails, tuning);
      if (env.tapping === "mqtt") {
        const by = (url: URL): URL => Object.assign(new URL(url), { username: "conformance", password: credential });
        const other = await env.within("connect()", env.dial({ url: by(way.url), log }));
        told.push(other);
        await fails("a request of nothing by an address with a password", env.calls.request(other, "nowhere"));
        for await (const { what, url } of elsewhere(env)) await fails(what, env.dial({ url: by(url), log }));
      }
      // What somebody prints who looks for a fault.
      told.push(connection, env.tuned(tuning));
      for (const one of told) env.caller.equal("whether what is told holds it", holds(one, credential), false);
      env.caller.equal("whether the suite's history holds it", holds(env.history.since(0), credential), false);
    },
  },
];

function holds(value: unknown, text: string): boolean {
  return inspect(value, { depth: 12, showHidden: true, maxStringLength: null, maxArrayLength: null }).includes(text);
}

/** Addresses where nobody is, or somebody else. */
async function* elsewhere(env: Environment): AsyncGenerator<{ readonly what: string; readonly url: URL }, void> {
  const server = createTcpServer((socket) => {
    socket.on("error", () => {}).on("data", () => socket.end("220 mail.example ESMTP\r\n"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(await env.url());
  url.port = String((server.address() as { port: number }).port); // a TCP server's address is an object
  try {
    yield { what: "to dial somebody else", url };
  } finally {
    server.close();
    await once(server, "close");
  }
  yield { what: "to dial where nobody is", url };
}

/** Whoever dials is sent to another host, which must hear nothing. */
async function notRedirected(
  env: Environment,
  fails: (what: string, promise: Promise<unknown>) => Promise<void>,
  tuning: { readonly credential: string },
): Promise<void> {
  const heard: string[] = [];
  const other = createServer(({ headers }, response) => {
    heard.push(JSON.stringify(headers));
    response.end();
  });
  const first = createServer((_request, response) => {
    response.writeHead(307, { location: `http://localhost:${portOf(other)}/`, connection: "close" }).end();
  });
  first.on("upgrade", (_request, socket) => {
    socket.on("error", () => {});
    socket.end(
      `HTTP/1.1 307 Temporary Redirect\r\nlocation: ws://localhost:${portOf(other)}/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`,
    );
  });
  other.on("upgrade", ({ headers }, socket) => {
    heard.push(JSON.stringify(headers));
    socket.destroy();
  });
  try {
    for (const server of [first, other]) await once(server.listen(0, "127.0.0.1"), "listening");
    const url = new URL(await env.url());
    url.port = String(portOf(first));
    await fails("to dial who sends elsewhere", env.dial({ url, tuning }));
    env.wire.equal("what came where a redirect points", heard, []);
  } finally {
    for (const server of [first, other]) {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    }
  }
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as { port: number }).port; // a TCP server's address is an object
}
