import { type Contract, contract, type Operation, request, type Schema, serverStream } from "@parley/core";
import { anything } from "./contract.ts";

type Request = Operation<"request", Schema, Schema>;

/** How the suite asks an agent of its own, in a server that is not, what its handlers have seen. */
export const witness: Contract<{
  /** Forgets what was, and answers with the number of the time that begins. */
  readonly reset: Request;
  /** Opens gates, in this order. */
  readonly release: Request;
  /** How many calls are open. */
  readonly openCalls: Request;
  /** Tells up to which of its events the suite has them: no answer leaves before what led to it is known. */
  readonly seen: Request;
  /** What the handlers see from now on, as {@link WitnessItem}s. */
  readonly events: Operation<"server-stream", Schema, Schema>;
}> = contract("witness", {
  reset: request({ input: anything, output: anything }),
  release: request({ input: anything, output: anything }),
  openCalls: request({ input: anything, output: anything }),
  seen: request({ input: anything, output: anything }),
  events: serverStream({ input: anything, item: anything }),
});

/** A piece of an event: events may be longer than messages may be. */
export interface WitnessItem {
  /** The events are numbered, from 1; 0 in the first item, which says that the suite is being told. */
  readonly number: number;
  /** When it happened: the number that `reset` answered with. */
  readonly time: number;
  /** A piece of the JSON text of a `ToldEvent`. */
  readonly text: string;
  /** Another piece of the same follows. */
  readonly more: boolean;
}
