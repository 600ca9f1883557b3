import type { Call } from "../call/call.ts";
import type { Context, Peer } from "../call/context.ts";
import { ParleyError } from "../call/error.ts";
import type { Log } from "../call/log.ts";
import type { Envelope } from "../envelope/envelope.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { bind, type Client, client } from "./client.ts";
import type { Contract } from "./contract.ts";
import type { TopicsOf } from "./topics-of.ts";

/** What a handler knows and can do beside its input. */
export interface HandledCall<C extends Contract = Contract> {
  /** Opened the call: ids, source, attributes. */
  readonly message: Envelope;
  /** Aborted when the caller cancels or is lost, and at the deadline. Made when first read; its reason is the ParleyError. */
  readonly signal: AbortSignal;
  /** Why the call was given up, once it was. Costs nothing to read. */
  readonly aborted: ParleyError | undefined;
  /** Instant on the runtime's monotonic clock, ms. */
  readonly deadline: number | undefined;
  /** Who calls, and what interceptors have found out. */
  readonly context: Context;
  /** Takes entries for the operator. */
  readonly log: Log;
  /** The contract's topics at this agent, for publications and subscriptions that belong to this call. */
  readonly topics: Client<TopicsOf<C>>;
  /** Time left, ms; undefined without a deadline, 0 once it has passed. */
  timeLeft(): number | undefined;
  /**
   * The same client, for calls that belong to this one: they carry its flow, cause and trace, end a little before its deadline, and are
   * cancelled with it.
   */
  client<Other extends Contract>(remote: Client<Other>): Client<Other>;
  /**
   * A client for whoever is calling, over the same connection; what {@link client} says holds for it too.
   * @throws ParleyError `unimplemented` where the wire cannot call back.
   */
  caller<Other extends Contract>(contract: Other): Client<Other>;
}

/** What the handled calls of an agent share. */
export interface HandledCallInit {
  readonly source: string;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
  readonly topics: () => Client;
}

/** Makes a handler's second argument. */
export function handledCall(call: Call, init: HandledCallInit): HandledCall {
  return new AgentCall(call, init);
}

class AgentCall implements HandledCall {
  readonly #call: Call;
  readonly #init: HandledCallInit;

  constructor(call: Call, init: HandledCallInit) {
    this.#call = call;
    this.#init = init;
  }

  get message(): Envelope {
    return this.#call.message;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get aborted(): ParleyError | undefined {
    return this.#call.aborted;
  }

  get deadline(): number | undefined {
    return this.#call.deadline;
  }

  get context(): Context {
    return this.#call.context;
  }

  get log(): Log {
    return this.#init.log ?? silence;
  }

  get topics(): Client<TopicsOf<Contract>> {
    return this.client(this.#init.topics()) as Client<TopicsOf<Contract>>;
  }

  timeLeft(): number | undefined {
    const { deadline } = this.#call;
    return deadline === undefined ? undefined : Math.max(0, deadline - this.#init.runtime.now());
  }

  client<Other extends Contract>(remote: Client<Other>): Client<Other> {
    return bind(remote, this.#call);
  }

  caller<Other extends Contract>(contract: Other): Client<Other> {
    const { peer } = this.#call.context;
    if (!peer?.invoke) {
      const wire = peer ? `the transport ${peer.transport} cannot call back` : "the call comes from this process";
      throw new ParleyError("unimplemented", `there is no way to call the caller: ${wire}`, { outcome: "not-sent" });
    }
    return this.client(callerClient(peer, contract, this.#init));
  }
}

function silence(): void {}

/** Clients for peers that were called back, made once per peer and contract. */
const callers = new WeakMap<Peer, WeakMap<Contract, unknown>>();

function callerClient<Other extends Contract>(
  peer: Peer,
  contract: Other,
  { source, runtime, log }: HandledCallInit,
): Client<Other> {
  const known = callers.get(peer) ?? new WeakMap<Contract, unknown>();
  callers.set(peer, known);
  const made =
    known.get(contract) ?? client(contract, peer.invoke as NonNullable<Peer["invoke"]>, { source, runtime, log });
  known.set(contract, made);
  // Kept under the contract it was made from.
  return made as Client<Other>;
}
