import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import {
  channelLimits,
  dialChannel,
  memory,
  type OpenChannel,
  ParleyError,
  type Transport,
  TransportError,
} from "@parley/core/transport";
import type { Subject, SubjectOptions } from "../subject.ts";
import { readLines } from "./tcp-lines.ts";

/** What can be broken of {@link childLines}. */
export interface ChildFaults {
  /** Does not hear that the child has ended. */
  readonly hearsNoEnd?: true;
  /** Does not say how it ended. */
  readonly saysNotHow?: true;
  /** Ends its stdin, sends no signal, and waits for the end of its stdout. */
  readonly waitsForPipe?: true;
  /** Takes what stands on its stderr for frames. */
  readonly readsStderr?: true;
  /** Writes on, whether or not anybody reads. */
  readonly neverFull?: true;
  /** Does not hear that it cannot be started. */
  readonly hearsNoError?: true;
}

/** The reference whose listening side is its child, for what only such a wire can get wrong: one event a line on stdin and stdout. */
export function childLines(options: SubjectOptions, faults: ChildFaults = {}): Transport {
  const { child: program, heartbeatMs, limits = channelLimits, exitMs = 1_000 } = options;
  return {
    name: "child-lines",
    schemes: ["child"],
    manifest: { ...memory({ limits }).manifest, resume: "none" },
    async connect(_, { connectTimeoutMs = 10_000, ...connect } = {}) {
      if (!program) throw new ParleyError("invalid_argument", "there is no program to start", { outcome: "not-sent" });
      const child = spawn(program.command, program.args, { detached: true, stdio: "pipe" });
      child.on("error", () => {});
      if (faults.hearsNoError) await new Promise((resolve) => child.once("spawn", resolve));
      await once(child, "spawn").catch((cause: unknown) => {
        throw new TransportError("unavailable", `${program.command} cannot be started`, { outcome: "not-sent", cause });
      });
      const open = pipes(child, limits.maxMessageBytes, exitMs, faults);
      const maxQueuedChars = faults.neverFull ? Number.POSITIVE_INFINITY : undefined;
      const channel = { transport: "child-lines", heartbeatMs, limits, maxQueuedChars, ...connect };
      return dialChannel(open, { ...channel, helloTimeoutMs: connectTimeoutMs });
    },
    listen: async () => {
      throw new ParleyError("unimplemented", "only its dialling side is of use here");
    },
  };
}

function pipes(child: ChildProcess, maxMessageBytes: number, exitMs: number, faults: ChildFaults): OpenChannel {
  const [stdin, stdout, stderr] = [child.stdin, child.stdout, child.stderr] as [Writable, Readable, Readable]; // as it was started
  return (events) => {
    const reader = readLines((text) => events.frame(text), maxMessageBytes);
    let asked = false;
    let timer: NodeJS.Timeout | undefined;
    const signal = (name: NodeJS.Signals): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, name);
      } catch {
        // Nobody of the group is there any more.
      }
    };
    const end = (): void => {
      stdin.end();
      if (faults.waitsForPipe) return;
      clearTimeout(timer);
      timer = setTimeout(() => {
        signal("SIGTERM");
        timer = setTimeout(() => signal("SIGKILL"), exitMs);
      }, exitMs);
    };
    const read = (bytes: Buffer): void => {
      try {
        reader.chunk(bytes);
      } catch {
        end();
      }
    };
    for (const stream of [stdin, stdout, stderr]) stream.on("error", () => {});
    stdout.on("data", read);
    stderr.on("data", faults.readsStderr ? read : () => {});
    stdin.on("drain", () => events.drain());
    const over = (exitCode: number | null, name: string | null): void => {
      clearTimeout(timer);
      if (faults.hearsNoEnd && !asked) return;
      if (!faults.waitsForPipe) signal("SIGKILL");
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
      const details = faults.saysNotHow ? {} : name === null ? { exitCode } : { signal: name };
      events.closed(
        asked ? undefined : new TransportError("unavailable", "the child has ended", { outcome: "unknown", details }),
      );
    };
    child.on(faults.waitsForPipe ? "close" : "exit", over);
    return {
      write: (frames) => !stdin.writable || stdin.write(`${frames.join("\n")}\n`) || faults.neverFull === true,
      close() {
        asked = true;
        if (child.exitCode === null && child.signalCode === null) end();
        else over(child.exitCode, child.signalCode);
      },
    };
  };
}

/** {@link childLines}, as it is tested. */
export const childReference: Subject = {
  name: "child-lines",
  transport: (options) => childLines(options),
  url: "child:",
  tapping: "lines",
  serving: "child",
};
