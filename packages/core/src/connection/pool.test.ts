import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, expect, test } from "vitest";
import { manualRuntime } from "../../test/manual-runtime.ts";
import { failureOf } from "../../test/settling.ts";
import { TransportError } from "../call/error.ts";
import { ConnectionPool, type PoolOptions } from "./pool.ts";

/** A connection that does nothing but tell of itself. */
class Line {
  readonly name: string;
  state = "open";
  graceMs: number | undefined;
  readonly #closes: Promise<void> | undefined;

  constructor(name: string, closes?: Promise<void>) {
    this.name = name;
    this.#closes = closes;
  }

  async close({ graceMs }: { graceMs?: number | undefined } = {}): Promise<void> {
    this.graceMs = graceMs;
    await this.#closes;
    this.state = "closed";
  }
}

/** A pool of lines, named by their host and number, and a clock for it. */
function stage(options: Partial<PoolOptions<Line>> = {}) {
  const { runtime, advance } = manualRuntime();
  const lines: Line[] = [];
  const pool = new ConnectionPool<Line>({
    runtime,
    open(host) {
      const line = new Line(`${host}${lines.length + 1}`);
      lines.push(line);
      return line;
    },
    ...options,
  });
  return { pool, lines, advance };
}

/** Lets all promises that are due settle. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("lending", () => {
  test("a connection is opened when it is wanted, used again, the last used first, and closed when nobody does", async () => {
    const { pool, lines, advance } = stage({ idleTimeoutMs: 1_000 });
    const [one, two] = await Promise.all([pool.acquire("a"), pool.acquire("a")]);
    expect([one.connection.name, two.connection.name]).toEqual(["a1", "a2"]);
    two.release();
    advance(600);
    one.release();
    expect(await pool.use("a", ({ name }) => name)).toBe("a1");
    advance(600);
    await settled();
    expect(lines.map(({ state }) => state)).toEqual(["open", "closed"]);
    advance(400);
    await settled();
    expect(pool.stats()).toEqual({ connections: 0, idle: 0, waiting: 0 });
    expect(await pool.use("a", ({ name }) => name)).toBe("a3");
  });

  test("one given back twice is lent once", async () => {
    const { pool } = stage();
    const lease = await pool.acquire("a");
    lease.release();
    lease.release();
    const leases = await Promise.all([pool.acquire("a"), pool.acquire("a")]);
    expect(leases.map(({ connection }) => connection.name)).toEqual(["a1", "a2"]);
  });

  test("work that fails gives the connection back, and fails as it did", async () => {
    const { pool } = stage({ maxPerHost: 1 });
    const failing = pool.use("a", () => {
      throw new Error("mine");
    });
    await expect(failing).rejects.toThrow("mine");
    expect(await pool.use("a", ({ name }) => name)).toBe("a1");
  });

  test("one given back as useless, or closed by itself while idle, is lent to nobody", async () => {
    const { pool, lines } = stage({ maxPerHost: 1 });
    (await pool.acquire("a")).discard();
    const lease = await pool.acquire("a");
    expect(lease.connection.name).toBe("a2");
    lease.release();
    (lines[1] as Line).state = "closed";
    expect(await pool.use("a", ({ name }) => name)).toBe("a3");
    expect(pool.stats().connections).toBe(1);
  });

  test("as many as allowed share a connection", async () => {
    const { pool, lines } = stage({ maxUsers: 2 });
    const leases = await Promise.all([1, 2, 3].map(() => pool.acquire("a")));
    expect(leases.map(({ connection }) => connection.name)).toEqual(["a1", "a1", "a2"]);
    expect(lines).toHaveLength(2);
  });
});

describe("waiting", () => {
  test("is in the order of arrival, and holds up no other host", async () => {
    const { pool } = stage({ maxPerHost: 1 });
    const first = await pool.acquire("a");
    const order: string[] = [];
    const waiting = ["one", "two", "three"].map((name) => pool.use("a", () => void order.push(name)));
    expect(await pool.use("b", ({ name }) => name)).toBe("b2");
    expect(pool.stats().waiting).toBe(3);
    first.release();
    await Promise.all(waiting);
    expect(order).toEqual(["one", "two", "three"]);
  });

  test("the older waiter for another host goes before a newer one, and an idle connection gives way", async () => {
    const { pool, lines } = stage({ maxTotal: 2 });
    const [a, other] = await Promise.all([pool.acquire("a"), pool.acquire("a")]);
    const order: string[] = [];
    const older = pool.use("b", ({ name }) => void order.push(name));
    const newer = pool.use("a", ({ name }) => void order.push(name));
    a.release();
    await Promise.all([older, newer]);
    expect(order).toEqual(["b3", "a4"]);
    // One at a time gave way to each.
    expect(lines.map(({ state }) => state)).toEqual(["closed", "open", "closed", "open"]);
    other.release();
  });

  test("closes the one that nobody has used for longest, one for each who waits, and only where that helps", async () => {
    const closes = Promise.withResolvers<void>();
    const lines: Line[] = [];
    const { pool, advance } = stage({
      maxTotal: 4,
      maxPerHost: 1,
      open(host) {
        lines.push(new Line(host, host === "a" ? closes.promise : undefined));
        return lines.at(-1) as Line;
      },
    });
    const [a, b, c, d] = await Promise.all(["a", "b", "c", "d"].map((host) => pool.acquire(host)));
    const another = pool.acquire("d");
    for (const lease of [a, b]) {
      advance(1);
      lease?.release();
    }
    const e = pool.acquire("e");
    c?.release();
    await settled();
    const open = (): string[] =>
      lines.filter(({ state, graceMs }) => state === "open" && !graceMs).map(({ name }) => name);
    expect(open()).toEqual(["b", "c", "d"]);
    closes.resolve();
    expect((await e).connection.name).toBe("e");
    expect(open()).toEqual(["b", "c", "d", "e"]);
    d?.release();
    await another;
  });

  test("is bounded in number and in time, and given up by a signal; who leaves takes no place", async () => {
    const { pool, advance } = stage({ maxPerHost: 1, maxWaiting: 2, waitTimeoutMs: 500 });
    const lease = await pool.acquire("a");
    const giveUp = new AbortController();
    const late = failureOf(pool.acquire("a"));
    const given = failureOf(pool.acquire("a", { signal: giveUp.signal }));
    expect(await failureOf(pool.acquire("a"))).toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
    giveUp.abort();
    expect(await given).toMatchObject({ code: "cancelled", outcome: "not-sent" });
    advance(500);
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect(await failureOf(pool.acquire("a", { signal: giveUp.signal }))).toMatchObject({ code: "cancelled" });
    const next = pool.acquire("a");
    lease.release();
    expect((await next).connection.name).toBe("a1");
    expect(pool.stats().waiting).toBe(0);
  });

  test("one who gives up in the moment of being served passes the connection on", async () => {
    const { pool } = stage({ maxPerHost: 1 });
    const lease = await pool.acquire("a");
    const giveUp = new AbortController();
    const given = failureOf(pool.acquire("a", { signal: giveUp.signal }));
    const next = pool.use("a", ({ name }) => name);
    lease.release();
    giveUp.abort();
    expect(await given).toMatchObject({ code: "cancelled" });
    expect(await next).toBe("a1");
    expect(pool.stats()).toEqual({ connections: 1, idle: 1, waiting: 0 });
  });
});

describe("opening", () => {
  test("that fails is told, and leaves the place to the next", async () => {
    const down = new TransportError("unavailable", "nobody there", { outcome: "not-sent" });
    const ends = [down, new Error("secret"), undefined];
    const { pool } = stage({
      maxPerHost: 1,
      async open(host) {
        const end = ends.shift();
        if (end) throw end;
        return new Line(host);
      },
    });
    const [first, second, third] = [pool.acquire("a"), pool.acquire("a"), pool.acquire("a")];
    expect(await failureOf(first)).toBe(down);
    const error = await failureOf(second);
    expect(error).toMatchObject({ code: "unavailable", outcome: "not-sent", message: "a could not be opened" });
    expect((await third).connection.name).toBe("a");
  });

  test("that takes too long is given up, and what comes of it later is closed", async () => {
    const opened = Promise.withResolvers<Line>();
    let given: AbortSignal | undefined;
    const { pool, advance } = stage({
      connectTimeoutMs: 100,
      open: (_host, { signal }) => {
        given = signal;
        return opened.promise;
      },
    });
    const late = failureOf(pool.acquire("a"));
    advance(100);
    expect(await late).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
    expect([given?.aborted, pool.stats().connections]).toEqual([true, 0]);
    const line = new Line("late");
    opened.resolve(line);
    await settled();
    expect(line.state).toBe("closed");
  });

  test("calls the connection's own connect, and closes what cannot connect", async () => {
    const lines: Line[] = [];
    const { pool, advance } = stage({
      connectTimeoutMs: 100,
      open: (host) => {
        const line = Object.assign(new Line(host), {
          connect: () => (lines.length === 1 ? Promise.resolve() : new Promise<void>(() => {})),
        });
        lines.push(line);
        return line;
      },
    });
    await pool.use("a", () => {});
    const late = failureOf(pool.acquire("b"));
    await settled();
    advance(100);
    expect(await late).toMatchObject({ code: "deadline_exceeded" });
    expect(lines.map(({ state }) => state)).toEqual(["open", "closed"]);
  });

  test("may ask for another connection, and counts itself by then", async () => {
    const { pool, advance } = stage({
      maxTotal: 1,
      waitTimeoutMs: 1_000,
      open: (host) => (host === "a" ? pool.use("b", () => new Line("a")) : new Line(host)),
    });
    const acquiring = failureOf(pool.acquire("a"));
    await settled();
    expect(pool.stats()).toEqual({ connections: 1, idle: 0, waiting: 1 });
    advance(1_000);
    expect(await acquiring).toMatchObject({ code: "deadline_exceeded", outcome: "not-sent" });
  });

  test("goes on for others when the first to want it gives up", async () => {
    const opened = Promise.withResolvers<Line>();
    const { pool } = stage({ maxUsers: 2, open: () => opened.promise });
    const giveUp = new AbortController();
    const given = failureOf(pool.acquire("a", { signal: giveUp.signal }));
    const other = pool.acquire("a");
    await settled();
    giveUp.abort();
    await given;
    opened.resolve(new Line("a"));
    (await other).release();
    expect(pool.stats()).toEqual({ connections: 1, idle: 1, waiting: 0 });
  });
});

describe("closing", () => {
  test("tells who waits, gives users the grace, gives up what is being opened, and leaves nothing", async () => {
    const clock = manualRuntime();
    const { runtime } = clock;
    const lines: Line[] = [];
    const pool = new ConnectionPool<Line>({
      runtime,
      maxPerHost: 1,
      open: (host) => {
        if (host === "slow") return new Promise<Line>(() => {});
        lines.push(new Line(host));
        return lines.at(-1) as Line;
      },
    });
    const lease = await pool.acquire("a");
    await pool.use("b", () => {});
    const opening = failureOf(pool.acquire("slow"));
    const waiting = failureOf(pool.acquire("a"));
    await settled();
    const closing = pool.close({ graceMs: 1_000 });
    expect(await waiting).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await opening).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(await failureOf(pool.acquire("c"))).toMatchObject({ code: "unavailable", outcome: "not-sent" });
    expect(lines.map(({ name, state }) => `${name} ${state}`)).toEqual(["a open", "b closed"]);
    clock.advance(400);
    lease.release();
    await closing;
    expect(lines[0]).toMatchObject({ state: "closed", graceMs: 600 });
    expect([pool.stats().connections, clock.timers]).toEqual([0, 0]);
  });

  test("in whatever moment of an opening leaves nothing open", async () => {
    for (let steps = 0; steps < 20; steps++) {
      const opened = Promise.withResolvers<Line>();
      const { pool } = stage({ open: () => opened.promise });
      const acquiring = pool
        .acquire("a")
        .then((lease) => lease.release())
        .catch(() => {});
      const line = new Line("a");
      opened.resolve(line);
      for (let step = 0; step < steps; step++) await undefined;
      await pool.close();
      await acquiring;
      expect([steps, line.state, pool.stats().connections]).toEqual([steps, "closed", 0]);
    }
  });

  test("does not wait for ever for a user who keeps a connection, or for one that does not close", async () => {
    const entries: string[] = [];
    const clock = manualRuntime();
    const { runtime } = clock;
    const pool = new ConnectionPool<Line>({
      runtime,
      log: ({ event }) => entries.push(event),
      open: (host) => new Line(host, new Promise(() => {})),
    });
    await pool.acquire("a");
    const closing = pool.close({ graceMs: 100 });
    clock.advance(100);
    await settled();
    clock.advance(5_000);
    await closing;
    expect(entries).toEqual(["close-failed"]);
    expect(clock.timers).toBe(0);
  });
});

test("limits that make no sense are told when the pool is made", () => {
  const open = (): Line => new Line("a");
  expect(() => new ConnectionPool({ open, maxTotal: 0 })).toThrow("maxTotal");
  expect(() => new ConnectionPool({ open, idleTimeoutMs: -1 })).toThrow("idleTimeoutMs");
});

test("ten thousand requests never exceed five connections per host, nor eight in all, and leak nothing", async () => {
  const open = new Map<Socket, number>();
  let most = [0, 0, 0];
  const servers = await Promise.all(
    [0, 1].map(async (index) => {
      const server = createServer((socket) => {
        open.set(socket, index);
        const counts = [0, 1].map((host) => [...open.values()].filter((one) => one === host).length);
        most = [...counts, open.size].map((count, place) => Math.max(count, most[place] ?? 0));
        socket.on("error", () => {}).on("close", () => open.delete(socket));
        socket.on("data", (data) => socket.write(data));
      });
      await once(server.listen(0, "127.0.0.1"), "listening");
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  const before = process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const pool = new ConnectionPool({
    maxPerHost: 5,
    maxTotal: 8,
    maxWaiting: 10_000,
    waitTimeoutMs: 60_000,
    async open(port) {
      const socket = connect(Number(port), "127.0.0.1");
      await once(socket, "connect");
      return {
        async ask(text: string): Promise<string> {
          socket.write(text);
          const [answer] = (await once(socket, "data")) as [Buffer];
          return answer.toString();
        },
        async close(): Promise<void> {
          socket.end();
          await once(socket, "close");
        },
      };
    },
  });
  // First to one host alone, then to both, then to the other alone.
  const portOf = (n: number) => String(n < 2_000 ? ports[0] : n < 8_000 ? ports[n % 2] : ports[1]);
  const begun = new Map(ports.map((port) => [String(port), [] as number[]]));
  const answers = await Promise.all(
    Array.from({ length: 10_000 }, (_, n) =>
      pool.use(portOf(n), (line) => {
        begun.get(portOf(n))?.push(n);
        return line.ask(`request ${n}`);
      }),
    ),
  );
  expect(answers.every((answer, n) => answer === `request ${n}`)).toBe(true);
  for (const order of begun.values()) {
    const asked = [...order].sort((one, other) => one - other);
    // One who is given a connection that is still being opened begins a little later than those after it.
    const late = order.map((n, place) => Math.abs(place - asked.indexOf(n)));
    expect(Math.max(...late)).toBeLessThan(100);
  }
  expect(most).toEqual([5, 5, 8]);
  await pool.close();
  await expect.poll(() => open.size).toBe(0);
  expect(process.getActiveResourcesInfo().filter((name) => name === "Timeout").length).toBeLessThanOrEqual(before);
  for (const server of servers) server.close();
}, 60_000);
