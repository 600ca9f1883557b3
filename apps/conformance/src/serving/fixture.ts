import { agent, type Code, errorFor } from "@parley/core";
import { type AbortListener, type Call, type Handler, HELLO, systemRuntime } from "@parley/core/transport";
import { monotonicNow } from "../history.ts";
import { conformance } from "./contract.ts";
import type { Called, HandlerEvent } from "./control.ts";
import { Gates } from "./gates.ts";
import { handlers } from "./handlers.ts";
import type { Note } from "./note.ts";

/** Come by the hundred thousand. */
const unnoted: ReadonlySet<string> = new Set(["conformance.deliver.v1", "conformance.sink.v1"]);

/** The agent that every transport is tested with. */
export interface Fixture {
  readonly handler: Handler;
  release(gate: string): void;
  /** Resolves when a gate is opened. */
  passed(gate: string): Promise<void>;
  /** Opens every gate. */
  reset(): void;
}

/** Makes the agent; `tell` gets its history as it happens. */
export function createFixture(tell: (event: HandlerEvent) => void): Fixture {
  const gates = new Gates();
  let refused: Code | undefined;
  const note: Note = (what, { message }, detail) => {
    tell({
      at: monotonicNow(),
      what,
      operation: operationOf(message.type),
      call: message.id,
      ...(detail === undefined ? {} : { detail }),
    });
  };
  const answering = agent(
    conformance,
    handlers(note, gates, (code) => {
      refused = code;
    }),
    { name: "conformance-fixture" },
  );
  return {
    handler(call) {
      const { type } = call.message;
      if (type === HELLO && refused) {
        const code = refused;
        refused = undefined;
        throw errorFor(code, "the suite refuses who dials");
      }
      // What Parleys ask each other is no business of a scenario's.
      if (type.startsWith("parley.") || unnoted.has(type)) return answering.handle(call);
      note("called", call, describe(call));
      call.onAbort(abortNote(call, note));
      return answering.handle(call);
    },
    release: (gate) => gates.open(gate),
    passed: (gate) => gates.pass(gate),
    reset: () => gates.openAll(),
  };
}

function describe({ kind, message, deadline, context }: Call): Called {
  const { data } = message;
  return {
    kind,
    message,
    ...(deadline === undefined ? {} : { remainingMs: deadline - systemRuntime.now() }),
    ...(context.peer?.address === undefined ? {} : { address: context.peer.address }),
    ...(context.peer ? { transport: context.peer.transport } : {}),
    ...(context.peer?.principal === undefined ? {} : { principal: context.peer.principal }),
    ...(data instanceof Uint8Array ? { bytes: data.constructor.name } : {}),
  };
}

function abortNote(call: Call, note: Note): AbortListener {
  return { callAborted: ({ code }) => note("aborted", call, code) };
}

function operationOf(type: string): string {
  return type.replace(/^conformance\./, "").replace(/\.v\d+$/, "");
}
