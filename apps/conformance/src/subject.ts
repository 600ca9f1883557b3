import type { Limits, MemoryTap, Transport } from "@parley/core/transport";
import type { BrokerKind } from "./brokers/broker.ts";
import type { Reconnecting } from "./lasting.ts";

/**
 * How the suite can listen in.
 * - `websocket`, `lines`: TCP; frames are text messages, or lines, and single ones can be rewritten and forged.
 * - `mqtt`: TCP; the messages that clients publish through a broker are frames.
 * - `http`: TCP; bytes only, but the suite knows how a chunked body ends in good order.
 * - `bytes`: TCP; bytes only.
 * - `in-process`: no bytes; both sides live in one process and the transport hands every frame to the tap it is given.
 */
export type Tapping = "websocket" | "lines" | "mqtt" | "http" | "bytes" | "in-process";

/** What the suite needs to know of a transport to test it. A module exports it as `subject`. */
export interface Subject {
  /** Heads the column of the report. */
  readonly name: string;
  /** Makes the transport; called at least once in each of the two processes (once in all when `in-process`). */
  transport(options: SubjectOptions): Transport;
  /** Where the serving side listens; for TCP on 127.0.0.1 with port 0. With a broker its host and port take the place of those given here. */
  readonly url: string;
  readonly tapping: Tapping;
  /**
   * Where the serving side listens with TLS, `"wss://127.0.0.1:0"`, if it can; `transport({ tls })` is then told of certificates. With a broker
   * its address with TLS, of which the broker's host and port take the place.
   */
  readonly secure?: string;
  /**
   * The protocol has a place for a caller's bearer token: `transport({ credential })` puts it there, and what came is in the `authorization` header of the
   * handler's `context.presented`. @default false
   */
  readonly credentials?: boolean;
  /** The calls of all connections reach the handler over one connection, as behind a relay. @default false */
  readonly shared?: boolean;
  /**
   * How the serving side comes about: a `process` that listens, or a `child` that the transport starts for each connection and talks
   * to over its stdin and stdout (`tapping` is then `lines` or `bytes`). @default "process"
   */
  readonly serving?: "process" | "child";
  /** How its connections come back after a cut. @default as `reconnecting` of `@parley/core/transport` lets them */
  readonly reconnecting?: Reconnecting;
  /** The broker between the two sides, if there is one. */
  readonly broker?: BrokerKind;
  /** The serving side is a program in another language, started for each connection; see the README. */
  readonly foreign?: ForeignProgram;
}

/** How the suite wants a transport for some scenarios, so that they are quick; absent: as it is by itself. Plain data where it listens. */
export interface Tuning {
  /** Longest silence before a side asks for a sign of life, ms; a peer silent for twice that is given up. */
  readonly heartbeatMs?: number | undefined;
  readonly limits?: Limits | undefined;
  /** Certificates for {@link Subject.secure}. */
  readonly tls?: TlsTuning | undefined;
  /** Dialling: the bearer token to show, or what gives it anew, as `bearer` of core takes them. */
  readonly credential?: string | ((refused: string | undefined) => string) | undefined;
  /** With a broker: the user that this side is there. The broker holds its users to their own names, so that a sender is known by it. */
  readonly user?: string | undefined;
  /** The user's password at the broker. */
  readonly password?: string | undefined;
  /** How long what was cut may be taken up again, ms, where the wire has sessions. */
  readonly resumeWindowMs?: number | undefined;
  /** Only with `serving: "child"`, on the side that dials: how long a child has to exit once its stdin has ended, ms, and again at each harsher request. */
  readonly exitMs?: number | undefined;
}

/** Certificates, as `node:tls` has them; all PEM. */
export interface TlsTuning {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Listening: asks who dials for a certificate. */
  readonly requestCert?: boolean;
  /** Whether a peer whose certificate is not verified is turned away. */
  readonly rejectUnauthorized?: boolean;
}

/** What the suite gives a subject. */
export interface SubjectOptions extends Tuning {
  /** Only `in-process`: to be told of every frame. */
  readonly tap?: MemoryTap | undefined;
  /** Only with `serving: "child"`, on the side that dials: the program to start. */
  readonly child?: ChildProgram | undefined;
}

/** A program to start, its stdin and stdout being the wire. */
export interface ChildProgram {
  readonly command: string;
  readonly args: readonly string[];
}

/** A program in another language that serves the fixture's operations. */
export interface ForeignProgram extends ChildProgram {
  /** Where it is started. */
  readonly directory: string;
}

/** What is wrong with an exported subject, a sentence each. Empty means it can be tested. */
export function subjectProblems(subject: unknown): readonly string[] {
  if (typeof subject !== "object" || subject === null) return ["the module exports no object named `subject`"];
  const { name, transport, url, tapping, serving, broker } = subject as Partial<Record<keyof Subject, unknown>>;
  return [
    ...(typeof name === "string" && /^[\w.-]{1,24}$/.test(name)
      ? []
      : ["subject.name must be 1 to 24 letters, digits, `.`, `_` or `-`"]),
    ...(typeof transport === "function" ? [] : ["subject.transport must be a function that makes the Transport"]),
    ...(typeof url === "string" && URL.canParse(url) ? [] : ['subject.url must be a URL, such as "ws://127.0.0.1:0"']),
    ...(tappings.includes(tapping as Tapping) ? [] : [`subject.tapping must be one of ${tappings.join(", ")}`]),
    ...([undefined, "process", "child"].includes(serving as undefined)
      ? []
      : ["subject.serving must be process or child"]),
    ...(serving !== "child" || tapping === "lines" || tapping === "bytes"
      ? []
      : ["a subject whose serving side is a child is tapped as lines or bytes"]),
    ...(broker === undefined || isBrokerKind(broker)
      ? []
      : ["subject.broker must have title, usual, help, answers() and start()"]),
  ];
}

const tappings: readonly Tapping[] = ["websocket", "lines", "mqtt", "http", "bytes", "in-process"];

function isBrokerKind(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { title, usual, help, answers, start } = value as Partial<Record<keyof BrokerKind, unknown>>;
  return (
    [title, usual, help].every((text) => typeof text === "string") &&
    [answers, start].every((method) => typeof method === "function")
  );
}
