import { authenticate, type Verifier } from "@parley/auth";
import { type AgentServer, agent, ParleyError, serve } from "@parley/core";
import { certificates } from "@parley/test-certificates";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { ws } from "@parley/transport-ws";
import { lab, page } from "../src/contract.ts";

/** An agent for pages, on all the wires that they have. */
export interface Lab extends AsyncDisposable {
  readonly urls: Readonly<Record<Wire, URL>>;
  /** What was noted, and how calls of `wait` and `count` have ended, in the order in which it came. */
  readonly log: readonly string[];
  /** Gives one more number to whoever reads the ticks. */
  tick(): void;
}

/** A wire that a browser has. */
export type Wire = "ws" | "sse" | "http";

/** What opens an agent. */
export interface LabOptions {
  readonly allowedOrigins: readonly string[];
  /** Knows callers by a bearer token, which is then their name. */
  readonly authenticated?: boolean;
  /** Over TLS, with a certificate of the tests' own authority. */
  readonly secure?: boolean;
}

const tls = { cert: certificates.serverCert, key: certificates.serverKey };

/** Opens an agent for the pages of these origins. */
export async function openLab({ allowedOrigins, authenticated = false, secure = false }: LabOptions): Promise<Lab> {
  const log: string[] = [];
  let due = 1;
  const wakes = new Set<() => void>();
  const handlers = agent(lab, {
    greet: async ({ name }) => `Hello, ${name}!`,
    note: async (text) => void log.push(text),
    async *count({ upTo }) {
      try {
        for (let value = 1; value <= upTo; value++) yield value;
      } finally {
        log.push("count ended");
      }
    },
    async sum(items) {
      let sum = 0;
      for await (const item of items) sum += item;
      return sum;
    },
    async *shout(items) {
      for await (const item of items) yield item.toUpperCase();
    },
    wait: (_, call) =>
      new Promise((_resolve, reject) => {
        log.push("waiting");
        call.signal.addEventListener("abort", () => {
          log.push(`wait: ${(call.signal.reason as ParleyError).code}`);
          reject(call.signal.reason);
        });
      }),
    fail: async ({ code }) => {
      throw new ParleyError(code, "told to fail", { details: { told: true } });
    },
    whoami: async (_, { context }) => context.peer?.principal ?? "nobody",
    askBack: async (_, call) => call.caller(page).title(),
    async *ticks(_, call) {
      for (let value = 1; !call.signal.aborted; value++) {
        while (value > due && !call.signal.aborted) {
          const woken = Promise.withResolvers<void>();
          wakes.add(woken.resolve);
          call.signal.addEventListener("abort", () => woken.resolve());
          await woken.promise;
        }
        yield value;
      }
    },
  });
  const verify: Verifier = ({ presented }) => {
    const [, token] = /^Bearer (\w+)$/.exec(presented?.header("authorization")[0] ?? "") ?? [];
    return token === undefined ? undefined : { principal: token };
  };
  const options = { allowedOrigins, ...(secure && { tls }) };
  const schemes = secure ? ["wss", "sses", "https"] : ["ws", "sse", "http"];
  const server: AgentServer<typeof lab> = await serve(
    handlers,
    schemes.map((scheme) => `${scheme}://127.0.0.1:0`),
    {
      transports: [ws(options), sse(options), http(options)],
      use: authenticated ? [authenticate({ verify: [verify] })] : [],
    },
  );
  const [wsUrl, sseUrl, httpUrl] = server.urls as [URL, URL, URL]; // in the order of the addresses
  return {
    urls: { ws: wsUrl, sse: sseUrl, http: httpUrl },
    log,
    tick() {
      due++;
      const woken = [...wakes];
      wakes.clear();
      for (const wake of woken) wake();
    },
    [Symbol.asyncDispose]: () => server.close({ graceMs: 0 }),
  };
}
