import { expect, test } from "vitest";
import { connect, type Remote } from "../../src/agent/connect.ts";
import { Servers } from "./servers.ts";
import { SimulatedWire } from "./simulated-wire.ts";
import { Simulation } from "./simulation.ts";
import { type World, world } from "./world-contract.ts";

const CLIENTS = 1_000;

test("of 1,000 clients that are dropped at once by a server that is away for a while, all are back in 30 s", async () => {
  const simulation = new Simulation(7);
  const network = new SimulatedWire(simulation);
  const servers = new Servers({ simulation, network, use: () => [], violation: expect.unreachable });
  void servers.start(0);
  const remotes: Remote<World>[] = [];
  for (let n = 0; n < CLIENTS; n++) {
    const process = simulation.process(`client ${n}`);
    const dialled = connect(world, "sim://server", {
      transports: [network.transport(process)],
      runtime: process.runtime,
    });
    void dialled.then((remote) => remotes.push(remote));
  }
  await simulation.run(5_000, () => remotes.length === CLIENTS);
  const open = (): number => remotes.filter(({ connection }) => connection.state === "open").length;
  expect(open()).toBe(CLIENTS);

  servers.restart(0, 5_000);
  const droppedAt = simulation.now;
  await simulation.run(droppedAt + 4_000);
  expect(open()).toBe(0);
  await simulation.run(droppedAt + 30_000, () => simulation.now > droppedAt + 5_000 && open() === CLIENTS);
  expect(open()).toBe(CLIENTS);

  let answered = 0;
  for (const [id, remote] of remotes.entries())
    void remote.work({ id, items: 0, workMs: 0 }).then(() => answered++, expect.unreachable);
  await simulation.run(simulation.now + 1_000, () => answered === CLIENTS);
  expect(answered).toBe(CLIENTS);
  expect(new Set(servers.effects.map(({ life }) => life))).toEqual(new Set(["life 2"]));
}, 60_000);
