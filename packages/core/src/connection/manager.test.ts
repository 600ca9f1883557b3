import { describe, expect, test } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf } from "../../test/settling.ts";
import { agent } from "../agent/agent.ts";
import { connect } from "../agent/connect.ts";
import { contract } from "../agent/contract.ts";
import { request } from "../agent/operation.ts";
import { serve } from "../agent/serve.ts";
import { TransportError } from "../call/error.ts";
import { memory } from "../transport/memory.ts";
import type { ClientHealth } from "../transport/protocol-client/client-state.ts";
import { ConnectionManager, type ManagerOptions } from "./manager.ts";
import type { HealthChange } from "./monitor.ts";

const down = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });

/** What a client is asked and told. */
interface Client {
  health(): Promise<ClientHealth>;
  close(options?: { readonly graceMs?: number | undefined }): Promise<void>;
}

/** A manager of clients that tell of themselves, and a clock for it. */
function stage(options: ManagerOptions = {}) {
  const clock = manualRuntime();
  const told: string[] = [];
  const manager = new ConnectionManager({ runtime: clock.runtime, ...options });
  /** Registers a client; how it fares can be changed. */
  const add = (name: string, registration: object = {}, client: Partial<Client> = {}) =>
    manager.register<Client>(name, {
      open: () => {
        told.push(`open ${name}`);
        return {
          health: async () => ({ state: "open", roundTripMs: 1 }),
          close: async ({ graceMs } = {}) => void told.push(`close ${name} ${graceMs}`),
          ...client,
        };
      },
      ...registration,
    });
  return { clock, manager, told, add };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a name", () => {
  test("is opened when it is first used, by all at once, and has one connection", async () => {
    const { manager, told, add } = stage();
    const prices = add("prices");
    add("unused");
    expect([told, manager.names]).toEqual([[], ["prices", "unused"]]);
    const clients = await Promise.all([1, 2, 3].map(() => prices.use((client) => client)));
    expect(new Set(clients).size).toBe(1);
    expect(told).toEqual(["open prices"]);
    expect(manager.stats()).toEqual({ connections: 1, idle: 1, waiting: 0 });
  });

  test("can be taken once", () => {
    const { manager, add } = stage();
    add("prices");
    expect(() => add("prices")).toThrow("registered already");
    expect(() => manager.register("other", { open: () => ({ close: async () => {} }), maxConnections: 0 })).toThrow(
      "maxConnections",
    );
  });

  test("that nobody uses for long is closed, and opened again when it is wanted", async () => {
    const { clock, told, add } = stage({ idleTimeoutMs: 100 });
    const prices = add("prices");
    const lease = await prices.acquire();
    clock.advance(1_000);
    lease.release();
    clock.advance(100);
    await settled();
    await prices.use(() => {});
    expect(told).toEqual(["open prices", "close prices 5000", "open prices"]);
  });

  test("whose connection has ended is opened again, also while somebody still has the old one", async () => {
    const { clock, manager } = stage();
    const prices = manager.register("prices", { open: () => ({ state: "open", close: async () => {} }) });
    const old = await prices.acquire();
    old.connection.state = "closed";
    const next = prices.acquire();
    clock.advance(0);
    const lease = await next;
    expect(lease.connection.state).toBe("open");
    old.release();
    lease.release();
    expect(manager.stats()).toEqual({ connections: 1, idle: 1, waiting: 0 });
  });

  test("shares the limit of its host with others, and waits while they are used", async () => {
    const { add, told } = stage({ maxPerHost: 1 });
    const [one, other] = [add("one", { host: "h" }), add("other", { host: "h" })];
    const lease = await one.acquire();
    const waiting = other.use(() => told.push("used other"));
    await settled();
    expect(told).toEqual(["open one"]);
    lease.release();
    await waiting;
    expect(told).toEqual(["open one", "close one 5000", "open other", "used other"]);
  });

  test("may have several connections with one user each", async () => {
    const { add, told } = stage();
    const shells = add("shell", { maxConnections: 2, maxUsers: 1 });
    const leases = await Promise.all([shells.acquire(), shells.acquire()]);
    const third = shells.acquire();
    await settled();
    expect(told).toEqual(["open shell", "open shell"]);
    leases[0]?.release();
    expect((await third).connection).toBe(leases[0]?.connection);
  });
});

describe("health", () => {
  test("is told of all, each bounded in time, whatever they do", async () => {
    const { clock, manager, add } = stage();
    const open = [
      add("well"),
      add("mute", {}, { health: () => new Promise(() => {}) }),
      add("away", {}, { health: async () => ({ state: "reconnecting", lastError: down }) }),
      add("deaf", {}, { health: async () => ({ state: "open", lastError: down }) }),
      add("broken", {}, { health: () => Promise.reject(down) }),
      add(
        "worse",
        {},
        {
          health: () => {
            throw down;
          },
        },
      ),
    ];
    for (const name of open) await name.use(() => {});
    const refusing = add("refusing", { open: () => Promise.reject(down), host: "h" });
    add("idle");
    await failureOf(refusing.acquire());
    const report = manager.healthCheck({ timeoutMs: 100 });
    await settled();
    clock.advance(100);
    expect(await report).toEqual([
      { name: "well", host: "well", users: 0, state: "open", healthy: true, roundTripMs: 1, lastError: undefined },
      {
        name: "mute",
        host: "mute",
        users: 0,
        state: "open",
        healthy: false,
        lastError: expect.objectContaining({ code: "deadline_exceeded" }),
      },
      { name: "away", host: "away", users: 0, state: "reconnecting", healthy: false, lastError: down },
      { name: "deaf", host: "deaf", users: 0, state: "open", healthy: false, lastError: down },
      { name: "broken", host: "broken", users: 0, state: "open", healthy: false, lastError: down },
      { name: "worse", host: "worse", users: 0, state: "open", healthy: false, lastError: down },
      { name: "refusing", host: "h", users: 0, state: "idle", healthy: false, lastError: down },
      { name: "idle", host: "idle", users: 0, state: "idle", healthy: true, lastError: undefined },
    ]);
    expect(clock.timers).toBe(0);
  });

  test("of what connect() gives is that of its connection, whatever its operations are called", async () => {
    const clock = contract("clock", { health: request({}), connect: request({}) });
    const asked: string[] = [];
    const answering = agent(clock, {
      health: () => void asked.push("health"),
      connect: () => void asked.push("connect"),
    });
    await using server = await serve(answering, "memory://clock", { transports: [memory()] });
    await using manager = new ConnectionManager();
    const remote = manager.register("clock", {
      open: ({ signal }) => connect(clock, server.urls[0] as URL, { transports: [memory()], signal }),
    });
    await remote.use((client) => client.health(undefined));
    const [health] = await manager.healthCheck();
    expect(health).toMatchObject({ state: "open", healthy: true, roundTripMs: expect.any(Number) });
    expect(asked).toEqual(["health"]);
  });

  test("is watched in rounds that do not overlap, with changes told once", async () => {
    const { clock, manager, add } = stage();
    let answer: () => Promise<ClientHealth> = async () => ({ state: "open", roundTripMs: 1 });
    let asked = 0;
    const prices = add(
      "prices",
      {},
      {
        health: () => {
          asked++;
          return answer();
        },
      },
    );
    add("idle");
    await prices.use(() => {});
    const changes: HealthChange[] = [];
    let reports = 0;
    manager.monitor({
      intervalMs: 1_000,
      timeoutMs: 100,
      onReport: () => reports++,
      onChange: (change) => changes.push(change),
    });
    await settled();
    expect([asked, reports, changes]).toEqual([1, 1, []]);
    answer = () => new Promise(() => {});
    clock.advance(1_000);
    await settled();
    expect([asked, reports]).toEqual([2, 1]);
    clock.advance(100);
    await settled();
    expect(changes).toMatchObject([
      { name: "prices", healthy: false, connections: [{ lastError: { code: "deadline_exceeded" } }] },
    ]);
    clock.advance(1_000);
    await settled();
    clock.advance(100);
    await settled();
    expect([reports, changes.length]).toEqual([3, 1]);
    answer = async () => ({ state: "open", roundTripMs: 1 });
    clock.advance(1_000);
    await settled();
    expect(changes.slice(1)).toMatchObject([{ name: "prices", healthy: true }]);
    await manager.close();
    expect(clock.timers).toBe(0);
    clock.advance(10_000);
    expect(asked).toBe(4);
  });

  test("is watched until that is stopped", async () => {
    const { clock, manager } = stage();
    let reports = 0;
    const stop = manager.monitor({ onReport: () => reports++ });
    await settled();
    stop();
    expect([reports, clock.timers]).toEqual([1, 0]);
    manager.monitor({ onReport: () => reports++ })();
    await settled();
    expect([reports, clock.timers]).toEqual([1, 0]);
  });
});

describe("closing", () => {
  test("is in the reverse order of registration, but after what depends on it, with a grace each", async () => {
    const { manager, told, add } = stage();
    const names = [
      add("log", { graceMs: 10 }),
      add("prices", { dependsOn: ["auth"], graceMs: 20 }),
      add("auth", { dependsOn: ["log", "nobody"], graceMs: 30 }),
      add("orders", { graceMs: 40 }),
      add("egg", { dependsOn: ["hen"] }),
      add("hen", { dependsOn: ["egg"] }),
    ];
    for (const name of names) await name.use(() => {});
    told.length = 0;
    await Promise.all([manager.close(), manager.close()]);
    expect(told).toEqual([
      "close egg 5000",
      "close hen 5000",
      "close orders 40",
      "close prices 20",
      "close auth 30",
      "close log 10",
    ]);
  });

  test("waits for one after the other, does not stop at what fails, and is final", async () => {
    const { clock, manager, told, add } = stage();
    const closed = Promise.withResolvers<void>();
    const names = [
      add("first"),
      add("failing", {}, { close: () => Promise.reject(new Error("no")) }),
      add("last", {}, { close: () => closed.promise }),
    ];
    for (const name of names) await name.use(() => {});
    told.length = 0;
    const closing = manager.close({ graceMs: 7 });
    await settled();
    expect(told).toEqual([]);
    closed.resolve();
    await closing;
    expect(told).toEqual(["close first 7"]);
    expect(await failureOf((names[0] as (typeof names)[0]).acquire())).toMatchObject({
      code: "unavailable",
      outcome: "not-sent",
    });
    expect([manager.stats().connections, clock.timers]).toEqual([0, 0]);
  });
});
