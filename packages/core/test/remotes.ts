import type { Agent } from "../src/agent/agent.ts";
import { type Client, type ClientOptions, client } from "../src/agent/client.ts";
import { connect } from "../src/agent/connect.ts";
import type { Contract } from "../src/agent/contract.ts";
import { serve } from "../src/agent/serve.ts";
import { memory } from "../src/transport/memory.ts";

/** Ways from a client to an agent: without a wire, and over one. */
export const ways = ["in process", "over memory"] as const;

/** One of {@link ways}. */
export type Way = (typeof ways)[number];

/** A client of the agent, for the length of `use`. */
export async function withRemote<C extends Contract>(
  way: Way,
  agent: Agent<C>,
  use: (remote: Client<C>) => Promise<void>,
  options: ClientOptions = {},
): Promise<void> {
  if (way === "in process") return use(client(agent.contract, agent.handle, options));
  await using server = await serve(agent, "memory://", { transports: [memory()] });
  await using remote = await connect(agent.contract, server.urls[0] as URL, { transports: [memory()], ...options });
  await use(remote);
}
