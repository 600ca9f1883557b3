import { agent, bidiStream, contract, request, serve, serverStream } from "@parley/core";
import { http } from "@parley/transport-http";
import { sse } from "@parley/transport-sse";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { apiKeys, authenticate } from "./index.ts";

const text = contract("text", {
  echo: request({ input: z.string(), output: z.string() }),
  count: serverStream({ item: z.number() }),
  chat: bidiStream({ inputItem: z.string(), outputItem: z.string() }),
});

/** An agent whose callers need no Parley, but a key. */
async function stage() {
  const texts = agent(text, {
    echo: (input) => input,
    async *count() {
      yield 1;
      yield 2;
    },
    async *chat(items) {
      yield* items;
    },
  });
  const use = [authenticate({ verify: [apiKeys([{ key: "good", principal: "alice" }])] })];
  const server = await serve(texts, "http://127.0.0.1:0", { transports: [http(), sse()], use });
  const [{ href } = { href: "" }] = server.urls;
  const ask = async (path: string, key: string | undefined, body?: string): Promise<readonly [number, string]> => {
    const headers = { "content-type": "application/json", ...(key === undefined ? {} : { "x-api-key": key }) };
    const init = body === undefined ? { headers } : { method: "POST", headers, body };
    const response = await fetch(new URL(path, href), init);
    return [response.status, await response.text()];
  };
  return { server, ask };
}

describe("callers without Parley", () => {
  it("are known by their header, from the first call on, also while a stranger asks at the same time", async () => {
    const { server, ask } = await stage();
    await using _server = server;
    const [[stranger], [first], [second]] = await Promise.all([
      ask("text.count", undefined, ""),
      ask("text.count", "good", ""),
      ask("text.echo", "good", '"a"'),
    ]);
    expect([stranger, first, second]).toEqual([401, 200, 200]);
    expect(await ask("text.echo", "good", '"a"')).toEqual([200, '"a"']);
  });

  it("learn nothing without it: neither what there is, nor of what kind it is", async () => {
    const { server, ask } = await stage();
    await using _server = server;
    const answers = async (key: string | undefined) => [
      await ask("text.echo.v1", key, '"a"'),
      await ask("text.echo", key, '"a"'),
      await ask("text.count.v1", key, ""),
      await ask("text.nothing.v1", key, ""),
      await ask(".well-known/parley", key),
    ];
    const before = await answers(undefined);
    // From here on it is known here what operations there are.
    expect((await ask("text.count", "good", ""))[0]).toBe(200);
    expect((await ask(".well-known/parley", "good"))[0]).toBe(200);
    const after = [...(await answers(undefined)), ...(await answers("bad"))];
    const said = (answer: readonly [number, string]) => [
      answer[0],
      (JSON.parse(answer[1]) as { detail: string }).detail,
    ];
    expect(new Set([...before, ...after].map((answer) => said(answer).join(" "))).size).toBe(1);
    expect(before[0]?.[0]).toBe(401);
    expect((await ask("healthz", undefined))[0]).toBe(200);
  });
});
