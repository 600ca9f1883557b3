import type { CallKind, Manifest } from "@parley/core/transport";
import type { Environment } from "./environment.ts";

/** The groups of the catalogue, in the order of reports. */
export const groups = {
  ENV: "Envelope fidelity",
  BIN: "Binary payload",
  RR: "Request and reply",
  SS: "Server stream",
  CS: "Client stream",
  BD: "Bidirectional stream",
  PS: "Publish and subscribe",
  HS: "Handshake and versions",
  ERR: "Errors",
  DL: "Deadlines and cancellation",
  BP: "Backpressure",
  ORD: "Order",
  CON: "Concurrency",
  LIM: "Limits",
  REC: "Reconnecting and resuming",
  DUP: "Duplicates",
  AUTH: "Identity and secrets",
  MAL: "Malformed input",
  FLT: "Faults of the link",
  BRK: "Brokers",
  PRC: "Child processes",
} as const;

/** Key of a group, the part of a scenario's id before the dash. */
export type Group = keyof typeof groups;

/** What a wire must be able to do for a scenario to apply. */
export interface Needs {
  readonly kinds?: readonly CallKind[];
  readonly serverInitiated?: true;
  readonly wildcards?: true;
  /** A cancellation reaches the peer. */
  readonly cancel?: true;
  /** The suite must be able to read and forge single frames; where it cannot, the protocol itself rules the case out. */
  readonly frames?: true;
  /** A reader that stalls holds up whoever writes to it; `stream`: and nobody else. */
  readonly backpressure?: "any" | "stream";
  /** Events are JSON text that the suite can write itself in the place of the transport. */
  readonly events?: true;
  /** The suite knows the protocol below well enough to break its rules. */
  readonly protocol?: true;
  /** The serving side must outlive a connection. */
  readonly reconnect?: true;
  /** The suite must be able to put a bad link between the two sides; a wire that is not carried by TCP has none. */
  readonly tcp?: true;
  /** The serving side must be a process that can be killed. */
  readonly process?: true;
  /** The serving side must be a child of the one that dials. */
  readonly child?: true;
  /** The two sides must have a connection with a handshake of its own; through a broker each calls an agent by its name. */
  readonly connection?: true;
  /** There must be a broker between the two sides. */
  readonly broker?: true;
  /** The transport has TLS of its own. */
  readonly tls?: true;
  /** The protocol has a place for a caller's credential. */
  readonly credentials?: true;
  /** What is cut is taken up again. */
  readonly resume?: true;
  /** The suite must be able to ask the serving side for this, which a program in another language is not asked for. */
  readonly serving?: readonly ("relay" | "clock" | "snapshot" | "callback" | "versions" | "dedupe" | "guard")[];
}

/** One expectation that every wire is held to. */
export interface Scenario {
  /** `RR-02`. Never used for anything else. */
  readonly id: string;
  readonly group: Group;
  /** A `must` that does not hold is a failure; a `should` is reported as non-strict; `info` is a measurement. */
  readonly level: "must" | "should" | "info";
  /** The expectation, in a sentence. */
  readonly title: string;
  readonly needs: Needs;
  /** The transports, broken on purpose, that turn it red. */
  readonly mutants: readonly string[];
  /** Longest it may take, in units of {@link Environment.t}. @default 10 */
  readonly limit?: number;
  /** Resolves when the expectation holds. @throws Finding when it does not. Any other error is a fault of the suite. */
  run(env: Environment): Promise<void>;
}

/** A capability that a manifest declares absent, by the name of its key. */
export type Capability = `kinds.${CallKind}` | "serverInitiated" | "wildcards" | "cancel" | "backpressure" | "resume";

/** The capabilities among a scenario's needs that the manifest declares absent. */
export function missing(needs: Needs, manifest: Manifest): readonly Capability[] {
  return [
    ...(needs.kinds ?? []).filter((kind) => manifest.kinds[kind] === "none").map((kind): Capability => `kinds.${kind}`),
    ...(needs.serverInitiated && !manifest.serverInitiated ? (["serverInitiated"] as const) : []),
    ...(needs.wildcards && !manifest.wildcards ? (["wildcards"] as const) : []),
    ...(unmet(needs.backpressure, manifest.backpressure) ? (["backpressure"] as const) : []),
    ...(needs.resume && manifest.resume === "none" ? (["resume"] as const) : []),
    ...(needs.cancel && manifest.cancel === "local" ? (["cancel"] as const) : []),
  ];
}

function unmet(needed: Needs["backpressure"], declared: Manifest["backpressure"]): boolean {
  return needed === "stream" ? declared !== "stream" : needed === "any" && declared === "none";
}
