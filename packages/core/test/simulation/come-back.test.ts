import { expect, test } from "vitest";
import { connect, type Remote } from "../../src/agent/connect.ts";
import type { Interceptor } from "../../src/call/interceptor.ts";
import { resilience } from "../../src/resilience/resilience.ts";
import type { Runtime } from "../../src/runtime/runtime.ts";
import { Servers } from "./servers.ts";
import { SimulatedWire } from "./simulated-wire.ts";
import { Simulation } from "./simulation.ts";
import { type World, world } from "./world-contract.ts";

/** A server, and so many clients that are connected to it. */
async function crowd(clients: number, use: (runtime: Runtime) => readonly Interceptor[] = () => []) {
  const simulation = new Simulation(7);
  const network = new SimulatedWire(simulation);
  const servers = new Servers({ simulation, network, use: () => [], violation: expect.unreachable });
  void servers.start(0);
  const remotes: Remote<World>[] = [];
  for (let n = 0; n < clients; n++) {
    const process = simulation.process(`client ${n}`);
    const { runtime } = process;
    const dialled = connect(world, "sim://server", {
      transports: [network.transport(process)],
      use: use(runtime),
      runtime,
    });
    void dialled.then((remote) => remotes.push(remote));
  }
  await simulation.run(5_000, () => remotes.length === clients);
  expect(remotes).toHaveLength(clients);
  return { simulation, servers, remotes };
}

test("of 1,000 clients that are dropped at once by a server that is away for a while, all are back in 30 s", async () => {
  const { simulation, servers, remotes } = await crowd(1_000);
  const open = (): number => remotes.filter(({ connection }) => connection.state === "open").length;
  expect(open()).toBe(remotes.length);

  servers.restart(0, 5_000);
  const droppedAt = simulation.now;
  await simulation.run(droppedAt + 4_000);
  expect(open()).toBe(0);
  await simulation.run(droppedAt + 30_000, () => simulation.now > droppedAt + 5_000 && open() === remotes.length);
  expect(open()).toBe(remotes.length);

  let answered = 0;
  for (const [id, remote] of remotes.entries())
    void remote.work({ id, items: 0, workMs: 0 }).then(() => answered++, expect.unreachable);
  await simulation.run(simulation.now + 1_000, () => answered === remotes.length);
  expect(answered).toBe(remotes.length);
  expect(new Set(servers.effects.map(({ life }) => life))).toEqual(new Set(["life 2"]));
}, 120_000);

test.each([
  [1_000, 0.2],
  [100, 5],
])(
  "at most twice the usual comes in any second to a server that was away for a minute, of %i clients that each call %d times a second (I16)",
  async (clients, perSecond) => {
    const { simulation, servers, remotes } = await crowd(clients, (runtime) => [
      resilience({ deadlineMs: 5_000, retry: {}, breaker: {}, runtime }),
    ]);
    const everyMs = 1_000 / perSecond;
    let asked = 0;
    for (const [n, remote] of remotes.entries()) {
      const again = (): void => {
        remote.lookup({ id: asked++, items: 0, workMs: 0 }).catch(() => {});
        simulation.after(everyMs, again);
      };
      simulation.after((n / clients) * everyMs, again);
    }
    await simulation.run(simulation.now + 1_000);
    const before = servers.effects.length;
    servers.restart(0, 60_000);
    const backAt = simulation.now + 60_000;
    await simulation.run(backAt + 13_000);

    const usual = clients * perSecond;
    const arrived = servers.effects.slice(before).map(({ at }) => at - backAt);
    // In the second before each that arrives.
    let first = 0;
    const loads = arrived.map((at, last) => {
      while ((arrived[first] as number) <= at - 1_000) first++;
      return (last - first + 1) / usual;
    });
    expect(Math.max(...loads)).toBeLessThanOrEqual(2);
    expect(Math.max(...loads)).toBeGreaterThan(1);
    expect(loads.at(-1)).toBeCloseTo(1, 1);
  },
  120_000,
);
