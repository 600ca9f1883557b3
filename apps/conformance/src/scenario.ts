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
export type Capability = `kinds.${CallKind}` | "serverInitiated" | "wildcards" | "cancel";

/** The capabilities among a scenario's needs that the manifest declares absent. */
export function missing(needs: Needs, manifest: Manifest): readonly Capability[] {
  return [
    ...(needs.kinds ?? []).filter((kind) => manifest.kinds[kind] === "none").map((kind): Capability => `kinds.${kind}`),
    ...(needs.serverInitiated && !manifest.serverInitiated ? (["serverInitiated"] as const) : []),
    ...(needs.wildcards && !manifest.wildcards ? (["wildcards"] as const) : []),
    ...(needs.cancel && manifest.cancel === "local" ? (["cancel"] as const) : []),
  ];
}
