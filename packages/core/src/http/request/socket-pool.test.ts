import { describe, expect, it } from "vitest";
import { createCall, createEnvelope, type OwnedCall, ParleyError, systemRuntime } from "../../transport/index.ts";
import type { HttpSocket } from "../client/socket.ts";
import { type Lease, SocketPool } from "./socket-pool.ts";

function pool(limits: { maxPerOrigin?: number; maxTotal?: number; maxWaiting?: number } = {}) {
  const opened: string[] = [];
  const destroyed: string[] = [];
  const made = new SocketPool(
    (origin): HttpSocket => {
      opened.push(origin);
      return {
        dispatch: () => true,
        destroy: async () => void destroyed.push(origin),
      };
    },
    { maxPerOrigin: 2, maxTotal: 3, maxWaiting: 10, waitMs: 10_000, ...limits },
    systemRuntime,
  );
  const got: string[] = [];
  /** Takes a socket, and notes under its name when it has it. */
  const take = (origin: string, name: string, call = request()): Promise<Lease> =>
    made.take(origin, call).then((lease) => {
      got.push(name);
      return lease;
    });
  return { pool: made, opened, destroyed, got, take };
}

function request(): OwnedCall {
  return createCall({ kind: "request", message: createEnvelope({ kind: "request", type: "http.get", source: "x" }) });
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe("a pool of sockets", () => {
  it("serves who has waited for longest, whatever the origin", async () => {
    const { take, got } = pool({ maxPerOrigin: 3 });
    const held = [await take("a", "a1"), await take("a", "a2"), await take("b", "b1")];
    for (const [origin, name] of [
      ["c", "c1"],
      ["a", "a3"],
      ["b", "b2"],
    ] as const)
      void take(origin, name);
    for (const lease of held) lease.give();
    await settled();
    expect(got).toEqual(["a1", "a2", "b1", "c1", "a3", "b2"]);
  });

  it("passes over who waits for an origin without room", async () => {
    const { take, got, pool: it } = pool();
    const [first] = [await take("a", "a1"), await take("a", "a2")];
    void take("a", "a3");
    await take("b", "b1");
    expect(got).toEqual(["a1", "a2", "b1"]);
    expect(it.stats).toEqual({ busy: 3, idle: 0, waiting: 1 });
    first?.give();
    await settled();
    expect(got).toEqual(["a1", "a2", "b1", "a3"]);
  });

  it("uses what came free last, and closes what is idle where another origin has no room", async () => {
    const { take, opened, destroyed, pool: it } = pool();
    const held = [await take("a", "a1"), await take("a", "a2"), await take("b", "b1")];
    for (const lease of held) lease.give();
    expect(it.stats).toEqual({ busy: 0, idle: 3, waiting: 0 });
    await take("c", "c1");
    await take("b", "b2");
    expect(opened).toEqual(["a", "a", "b", "c"]);
    expect(destroyed).toEqual(["a"]);
    expect(it.stats).toEqual({ busy: 2, idle: 1, waiting: 0 });
  });

  it("a socket that was dropped makes room", async () => {
    const { take, opened, destroyed, pool: it } = pool({ maxPerOrigin: 1 });
    const lease = await take("a", "a1");
    const next = take("a", "a2");
    lease.drop();
    lease.drop();
    lease.give();
    await next;
    expect([opened, destroyed]).toEqual([["a", "a"], ["a"]]);
    expect(it.stats).toEqual({ busy: 1, idle: 0, waiting: 0 });
  });

  it("who is given up waits no longer, and takes nobody's place", async () => {
    const { take, got, pool: it } = pool({ maxPerOrigin: 1 });
    const lease = await take("a", "a1");
    const call = request();
    const given = take("a", "a2", call);
    void take("a", "a3");
    call.abort(new ParleyError("cancelled", "enough", { outcome: "unknown" }));
    await expect(given).rejects.toMatchObject({ code: "cancelled", outcome: "not-sent" });
    lease.give();
    await settled();
    expect(got).toEqual(["a1", "a3"]);
    expect(it.stats).toEqual({ busy: 1, idle: 0, waiting: 0 });
  });

  it("more than may wait are refused at once", async () => {
    const { take } = pool({ maxPerOrigin: 1, maxWaiting: 1 });
    await take("a", "a1");
    void take("a", "a2");
    await expect(take("b", "b1")).resolves.toBeDefined();
    await expect(take("a", "a3")).rejects.toMatchObject({ code: "resource_exhausted", outcome: "not-sent" });
  });

  it("a socket that cannot be made fails who asked for it, and takes no room", async () => {
    let broken = false;
    const open = (): HttpSocket => {
      if (broken) throw new ParleyError("unavailable", "no certificate", { outcome: "not-sent" });
      return { dispatch: () => true, destroy: async () => {} };
    };
    const it = new SocketPool(open, { maxPerOrigin: 1, maxTotal: 1, maxWaiting: 9, waitMs: 10_000 }, systemRuntime);
    const lease = await it.take("a", request());
    const waiting = it.take("a", request());
    const failed = expect(waiting).rejects.toMatchObject({ code: "unavailable" });
    broken = true;
    lease.drop();
    await failed;
    await expect(it.take("a", request())).rejects.toMatchObject({ code: "unavailable" });
    expect(it.stats).toEqual({ busy: 0, idle: 0, waiting: 0 });
    broken = false;
    await it.take("a", request());
  });

  it("when it is destroyed, what is given back later is closed too", async () => {
    const { take, destroyed, pool: it } = pool();
    const lease = await take("a", "a1");
    (await take("a", "a2")).give();
    await it.destroy();
    lease.give();
    expect(destroyed.length).toBeGreaterThanOrEqual(2);
    expect(it.stats).toEqual({ busy: 0, idle: 0, waiting: 0 });
  });
});
