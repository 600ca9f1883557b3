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
  type OwnedCall,
  type Reply,
  reconnecting,
  type Transport,
} from "@parley/core/transport";
import type { Reconnecting } from "../lasting.ts";
import type { Subject, SubjectOptions, Tuning } from "../subject.ts";
import { subjectRef } from "../subjects/index.ts";
import { loadSubject } from "../subjects/load.ts";
import { subject as reference } from "../subjects/memory.ts";
import type { From } from "../tap/tap.ts";
import { type ReadLines, tcpLines, tcpReference } from "./tcp-lines.ts";

/** A transport broken on purpose, to prove that a scenario notices (G-01). */
export interface Mutant {
  readonly id: string;
  /** Id of the scenario that must turn red. */
  readonly kills: string;
  /** What is broken, in a few words. */
  readonly fault: string;
  /** The reference with this fault; loaded first, where that is a wire of another package. */
  readonly subject: Subject | (() => Promise<Subject>);
  /**
   * Which reference: within one process, over TCP, over TCP with a serving side that is a process of its own, to a child; or a wire that can what these
   * cannot.
   */
  readonly base: "memory" | "tcp" | "process" | "child" | PackagedWire;
}

/** Wires of packages of their own that mutants are made of. */
export type PackagedWire = "sse" | "ws" | "http" | "mqtt";

/** What is changed of the reference. */
export interface Faults {
  /** Around the `call` of every connection that is dialled. */
  readonly call?: (next: Invoke, connection: Connection, redial: () => Promise<Connection>) => Invoke;
  /** Around the handler of every listener. */
  readonly handler?: (next: Handler, options: ListenOptions, close: () => void) => Handler;
  /** What it makes of how it is to be. */
  readonly tuning?: (tuning: Tuning) => Tuning;
  /** Only in memory. In place of a frame, before the suite's tap sees it, or after. Nothing returned: as it was. */
  readonly frame?: (frame: string, from: From) => readonly string[] | undefined;
  readonly frameAfterTap?: (frame: string, from: From) => readonly string[] | undefined;
  /** How its connections come back. */
  readonly reconnecting?: (next: Reconnecting) => Reconnecting;
  /** Only over TCP. Makes frames of what arrives. */
  readonly read?: ReadLines;
  /** Around the whole transport. */
  readonly transport?: (next: Transport) => Transport;
}

/** Makes a mutant in memory. `faults` is asked anew for each transport, so that no state is shared. */
export function mutant(id: string, kills: string, fault: string, faults: () => Faults): Mutant {
  const subject: Subject = {
    name: id.slice(0, 24),
    url: "memory://",
    tapping: "in-process",
    transport: (options) => inMemory(faults(), options),
    reconnecting: comesBack(faults),
  };
  return { id, kills, fault, subject, base: "memory" };
}

/** Makes a mutant over TCP; `"process"`: its serving side can be stopped. */
export function tcpMutant(
  id: string,
  kills: string,
  fault: string,
  faults: () => Faults,
  base: "tcp" | "process" = "tcp",
): Mutant {
  const subject: Subject = {
    ...tcpReference,
    name: id.slice(0, 24),
    transport: (options) => overTcp(faults(), options),
    reconnecting: comesBack(faults),
  };
  return { id, kills, fault, subject, base };
}

/** Makes a mutant of a wire that has a package of its own. */
export function wireMutant(base: PackagedWire, id: string, kills: string, fault: string, faults: () => Faults): Mutant {
  const subject = async (): Promise<Subject> => {
    const sound = await packagedWire(base);
    const transport: Subject["transport"] = (options) => {
      const own = faults();
      return broken(sound.transport({ ...options, ...own.tuning?.(options) }), own);
    };
    return { ...sound, name: id.slice(0, 24), transport, reconnecting: comesBack(faults) };
  };
  return { id, kills, fault, subject, base };
}

/** @throws MissingPackage when its package is not installed. */
export function packagedWire(name: PackagedWire): Promise<Subject> {
  return loadSubject(subjectRef(name, "").module);
}

function comesBack(faults: () => Faults): Reconnecting {
  return (transport, options) => (faults().reconnecting?.(reconnecting) ?? reconnecting)(transport, options);
}

function inMemory(faults: Faults, { tap, ...tuning }: SubjectOptions): Transport {
  const { frame, frameAfterTap, tuning: change } = faults;
  return broken(
    reference.transport({ tap: tapWith(tap, frame, frameAfterTap), ...(change?.(tuning) ?? tuning) }),
    faults,
  );
}

function overTcp(faults: Faults, { tap: _, ...tuning }: SubjectOptions): Transport {
  return broken(tcpLines(faults.tuning?.(tuning) ?? tuning, faults.read), faults);
}

function broken(inner: Transport, { call, handler, transport }: Faults): Transport {
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
