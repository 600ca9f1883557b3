import { TransportError } from "@parley/core";
import type { MemoryTap, MemoryWire } from "@parley/core/transport";
import type { History } from "../history.ts";
import { Capture } from "./capture.ts";
import { describeFrame } from "./describe.ts";
import type { From, Rewrite, Tap } from "./tap.ts";

const MAX_HELD_FRAMES = 65_536;

/** A tap for a wire within one process, and what its transport must be given. */
export interface FrameTap extends Tap {
  readonly hook: MemoryTap;
  /** Forgets the scenario before: its bytes, frames, rules and connections. */
  reset(history: History): void;
}

/** Makes a tap for a wire without bytes. */
export function createFrameTap(history: History): FrameTap {
  return new InProcessTap(history);
}

class InProcessTap implements FrameTap {
  readonly frames = true;
  #history: History;
  #captures: Record<From, Capture> = { dialler: new Capture(), listener: new Capture() };
  #held: Record<From, { frame: string; wire: MemoryWire }[] | undefined> = { dialler: undefined, listener: undefined };
  #wires = new Set<MemoryWire>();
  #rule: Rewrite | undefined;

  constructor(history: History) {
    this.#history = history;
  }

  readonly hook: MemoryTap = (frame, from, wire) => {
    this.#wires.add(wire);
    this.#captures[from].add(Buffer.from(frame));
    this.#history.note("wire", describeFrame(frame), { from });
    const rewritten = this.#rule?.(frame, from);
    if (rewritten === "cut") {
      wire.cut();
      return false;
    }
    const held = this.#held[from];
    if (!rewritten && !held) return true;
    for (const one of rewritten ?? [frame]) {
      if (!held) wire.deliver(one, from);
      else if (held.length < MAX_HELD_FRAMES) held.push({ frame: one, wire });
      else wire.cut(new TransportError("unavailable", "the tap holds back too many frames"));
    }
    return false;
  };

  reset(history: History): void {
    this.#history = history;
    this.#captures = { dialler: new Capture(), listener: new Capture() };
    this.#held = { dialler: undefined, listener: undefined };
    this.#wires = new Set();
    this.#rule = undefined;
  }

  get connections(): number {
    return this.#wires.size;
  }

  async through(listener: URL): Promise<URL> {
    return listener;
  }

  bytes(from: From): number {
    return this.#captures[from].total;
  }

  contains(from: From, text: string): boolean {
    return this.#captures[from].all().includes(text);
  }

  captured(from: From): Buffer {
    return this.#captures[from].all();
  }

  rewrite(rule: Rewrite | undefined): void {
    this.#rule = rule;
  }

  forge(frame: string, from: From): void {
    this.#history.note("suite", `forges ${describeFrame(frame)} from the ${from}`);
    for (const wire of this.#wires) wire.deliver(frame, from);
  }

  inject(bytes: Buffer, from: From): void {
    this.forge(bytes.toString("utf8"), from);
  }

  hold(from: From): void {
    this.#held[from] ??= [];
  }

  held(from: From): number {
    return this.#held[from]?.reduce((sum, { frame }) => sum + frame.length, 0) ?? 0;
  }

  release(from: From): void {
    const held = this.#held[from] ?? [];
    this.#held[from] = undefined;
    for (const { frame, wire } of held) wire.deliver(frame, from);
  }

  cut(how: "fin" | "rst"): void {
    this.#history.note("suite", `cuts the connection (${how.toUpperCase()})`);
    for (const wire of this.#wires) wire.cut(how === "rst" ? new Error("the suite reset the connection") : undefined);
  }

  sayGoodbye(): boolean {
    this.cut("fin");
    return true;
  }

  async close(): Promise<void> {
    for (const wire of this.#wires) wire.cut(new Error("the scenario is over"));
    this.reset(this.#history);
  }
}
