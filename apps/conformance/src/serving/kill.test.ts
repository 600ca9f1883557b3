import { type Connection, createCall, createEnvelope, systemRuntime } from "@parley/core/transport";
import { afterEach, describe, expect, it } from "vitest";
import { dialChild } from "../subjects/child-program.ts";
import { subject as stdio } from "../subjects/stdio.ts";
import { subject as ws } from "../subjects/ws.ts";
import { createChildren } from "./children.ts";
import type { Serving } from "./control.ts";
import { forkServing } from "./forked.ts";
import { ServingProcess } from "./serving-process.ts";

const START_MS = 10_000;
const moduleOf = (name: string): string => new URL(`../subjects/${name}.ts`, import.meta.url).href;

let serving: Serving | undefined;
afterEach(async () => {
  await serving?.stop();
  serving = undefined;
});

async function echo(connection: Connection): Promise<unknown> {
  const message = createEnvelope(
    { kind: "request", type: "conformance.echo.v1", source: "/test", data: "here" },
    systemRuntime,
  );
  return (await connection.call(createCall({ kind: "request", message }))).message?.data;
}

describe("a serving process", { timeout: 30_000 }, () => {
  it("can be killed without being taken for crashed, and started again at the same address with its history kept", async () => {
    serving = await forkServing({ module: moduleOf("ws"), url: ws.url }, START_MS);
    const transport = ws.transport({});
    const url = await serving.listen();
    const before = await transport.connect(new URL(url));
    expect(await echo(before)).toBe("here");
    await serving.kill("SIGKILL");
    expect([serving.alive, serving.exited]).toEqual([false, undefined]);
    await expect(serving.stats()).rejects.toThrow("the serving process ended (SIGKILL)");
    expect((await before.closed)?.code).toBe("unavailable");
    await serving.start();
    expect(await serving.listen({ url })).toBe(url);
    const after = await transport.connect(new URL(url));
    expect(await echo(after)).toBe("here");
    expect(serving.renewed?.resources).toBeDefined();
    // The answer and the history come by different ways.
    const calls = () => serving?.events.filter(({ what }) => what === "called").length;
    while (calls() !== 2) await new Promise((done) => setTimeout(done, 5));
    await after.close();
  });

  it("stands still between SIGSTOP and SIGCONT", async () => {
    serving = await forkServing({ module: moduleOf("ws"), url: ws.url }, START_MS);
    await serving.kill("SIGSTOP");
    let answered = false;
    const stats = serving.stats().then(() => {
      answered = true;
    });
    await (await forkServing({ module: moduleOf("ws"), url: ws.url }, START_MS)).stop();
    expect(answered).toBe(false);
    await serving.kill("SIGCONT");
    await stats;
  });

  it("that ends by itself counts as crashed", async () => {
    serving = await forkServing({ module: moduleOf("ws"), url: ws.url }, START_MS);
    process.kill(serving.pid as number, "SIGKILL");
    while (serving.alive) await new Promise((resolve) => setImmediate(resolve));
    expect(serving.exited).toMatchObject({ signal: "SIGKILL" });
  });
});

describe("serving children", { timeout: 30_000 }, () => {
  it("are started one for each connection, tell one history, pass gates opened before, and end with their connection", async () => {
    const order = { module: moduleOf("stdio"), url: stdio.url };
    serving = createChildren((pipes, events) => new ServingProcess({ ...order, pipes }, events), START_MS);
    const url = new URL(await serving.listen());
    await serving.release("open");
    const [one, other] = [await dialChild(stdio, url), await dialChild(stdio, url)];
    expect([await echo(one), await echo(other)]).toEqual(["here", "here"]);
    const gate = {
      kind: "request",
      type: "conformance.gate.v1",
      source: "/test",
      data: { gate: "open", value: 1 },
    } as const;
    const reply = await one.call(createCall({ kind: "request", message: createEnvelope(gate, systemRuntime) }));
    expect(reply.message?.data).toBe(1);
    expect(serving.events.filter(({ what }) => what === "called")).toHaveLength(3);
    expect((await serving.snapshot()).resources).toEqual({ "serving process": 2 });
    await one.close();
    await other.close();
    while ((await serving.snapshot()).resources["serving process"] !== 0)
      await new Promise((done) => setTimeout(done, 5));
    expect(serving.exited).toBe(undefined);
  });
});
