import {
  type Call,
  type Connection,
  createCall,
  type Envelope,
  type Handler,
  type Invoke,
  type ListenOptions,
  type MemoryTap,
  type MemoryWire,
  memory,
  type OwnedCall,
  type Reply,
  type Transport,
} from "@parley/core/transport";
import type { Subject } from "../subject.ts";
import type { From } from "../tap/tap.ts";

/** A transport broken on purpose, to prove that a scenario notices (G-01). */
export interface Mutant {
  readonly id: string;
  /** Id of the scenario that must turn red. */
  readonly kills: string;
  /** What is broken, in a few words. */
  readonly fault: string;
  /** The memory transport with this fault. */
  readonly subject: Subject;
}

/** What is changed of the memory transport. */
export interface Faults {
  /** Around the `call` of every connection that is dialled. */
  readonly call?: (next: Invoke, connection: Connection, redial: () => Promise<Connection>) => Invoke;
  /** Around the handler of every listener. */
  readonly handler?: (next: Handler, options: ListenOptions, close: () => void) => Handler;
  /** In place of a frame, before the suite's tap sees it, or after. Nothing returned: as it was. */
  readonly frame?: (frame: string, from: From) => readonly string[] | undefined;
  readonly frameAfterTap?: (frame: string, from: From) => readonly string[] | undefined;
  /** Around the whole transport. */
  readonly transport?: (next: Transport) => Transport;
}

/** Makes a mutant. `faults` is asked anew for each transport, so that no state is shared. */
export function mutant(id: string, kills: string, fault: string, faults: () => Faults): Mutant {
  const subject: Subject = {
    name: id.slice(0, 24),
    url: "memory://",
    tapping: "in-process",
    transport: ({ tap }) => broken(faults(), tap),
  };
  return { id, kills, fault, subject };
}

function broken({ call, handler, frame, frameAfterTap, transport }: Faults, tap: MemoryTap | undefined): Transport {
  const inner = memory({ tap: tapWith(tap, frame, frameAfterTap) });
  const outer: Transport = {
    ...inner,
    async connect(url, options) {
      const connection = await inner.connect(url, options);
      return call
        ? withCall(
            connection,
            call(connection.call, connection, () => inner.connect(url, options)),
          )
        : connection;
    },
    async listen(url, own, options = {}) {
      let close = (): void => {};
      const listener = await inner.listen(url, handler ? handler(own, options, () => close()) : own, options);
      close = () => void listener.close({ graceMs: 0 });
      return listener;
    },
  };
  return transport ? transport(outer) : outer;
}

function tapWith(tap: MemoryTap | undefined, before: Faults["frame"], after: Faults["frame"]): MemoryTap {
  // What the suite's tap itself delivers must meet the fault as well. One for each wire, so that the tap can tell them apart.
  const faulty = new WeakMap<MemoryWire, MemoryWire>();
  const faultyWire = (wire: MemoryWire): MemoryWire => {
    const known = faulty.get(wire) ?? {
      cut: (cause) => wire.cut(cause),
      deliver: (one, sender) => {
        for (const each of after?.(one, sender) ?? [one]) wire.deliver(each, sender);
      },
    };
    faulty.set(wire, known);
    return known;
  };
  return (frame, from, wire) => {
    const own = faultyWire(wire);
    for (const one of before?.(frame, from) ?? [frame]) if (tap?.(one, from, own) !== false) own.deliver(one, from);
    return false;
  };
}

/** The connection with another `call`, and whatever else is given. */
export function withCall(connection: Connection, call: Invoke, change: Partial<Connection> = {}): Connection {
  return {
    call,
    get hello() {
      return connection.hello;
    },
    get state() {
      return connection.state;
    },
    closed: connection.closed,
    stats: () => connection.stats(),
    ping: () => connection.ping(),
    close: (options) => connection.close(options),
    [Symbol.asyncDispose]: () => connection.close(),
    ...change,
  };
}

/** The same call without its deadline and cancellation. */
export function detached(
  call: Call,
  change: { readonly message?: Envelope; readonly input?: AsyncIterable<Envelope> } = {},
): OwnedCall {
  const { kind, message, input, context } = call;
  return createCall({ kind, message, input, context, ...change });
}

/** Rejects when the call is aborted. */
export function abortion(call: Call): Promise<never> {
  return new Promise((_, reject) => call.onAbort({ callAborted: reject }));
}

/** The reply with another output, where it has one. */
export function withOutput(reply: Reply, change: (output: AsyncIterable<Envelope>) => AsyncIterable<Envelope>): Reply {
  return reply.output ? { ...reply, output: change(reply.output) } : reply;
}
