import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Log, Runtime } from "@parley/core/transport";
import { type ChildEnd, childEnd, startError } from "./child-error.ts";
import type { ChildOptions, Command } from "./child-options.ts";
import { childEnvironment } from "./environment.ts";
import { logLines } from "./log-lines.ts";
import { Tail } from "./tail.ts";

type Execa = typeof import("execa")["execa"];

/** What is kept of the child's stderr. */
const STDERR_BYTES = 64 * 1024;
/** How much of that an error has. */
const TAIL_BYTES = 4 * 1024;
/** Once the child has exited: longest silence on its stdout before what still holds it open is given up. */
const SILENCE_MS = 200;
/** Longest time for which it is listened to after that, should it not fall silent. */
const AFTER_EXIT_MS = 1_000;
/** And the most that is read in that time: more than a pipe holds, so that nothing of the child's own is lost. */
const AFTER_EXIT_BYTES = 1024 * 1024;

/** What a child is started with. */
export interface ChildInit extends Pick<ChildOptions, "cwd" | "env"> {
  readonly command: Command;
  readonly exitMs: number;
  readonly runtime: Runtime;
  readonly log: Log | undefined;
}

/** What a child tells whoever talks with it. */
export interface ChildEvents {
  /** A piece of its stdout. */
  data(chunk: Buffer): void;
  /** Its stdout has ended; it is given time to exit, as by `end`. */
  outputEnded(): void;
  /** What was written to its stdin, or will be, does not reach it. */
  inputLost(cause: Error): void;
  /** It is gone with its group, and what it wrote has been told. The last event. */
  ended(end: ChildEnd): void;
}

/** A child that runs. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  /** Ends its stdin; after `firstMs`, or the time that it was started with, SIGTERM to its group; in the end SIGKILL. */
  end(firstMs?: number): void;
  /** Sends a signal to its group. */
  kill(signal: NodeJS.Signals): void;
  /** Reads no more of its stdout, until it has exited. */
  pause(): void;
  resume(): void;
  /** The end of what it has written to stderr. */
  stderr(): string;
}

/** Ties a child that was started to whoever talks with it; called at once, and once. */
export type OpenChild = (events: ChildEvents) => Child;

/**
 * Starts a child in a process group of its own, and supervises it: whatever happens to it, its end is told, and nothing of the group stays.
 * @throws ParleyError `not_found`, `permission_denied`, `invalid_argument` or `unavailable`, `not-sent`, when it cannot be started
 */
export async function startChild(init: ChildInit): Promise<OpenChild> {
  const { command, cwd, env, exitMs, runtime, log } = init;
  const [program, ...args] = command;
  // Not before a child is started: agents that are children themselves do without it, and start sooner.
  const { execa } = await import("execa");
  let child: ReturnType<typeof spawn>;
  try {
    child = spawn(execa, program, args, cwd, childEnvironment(process.env, env));
  } catch (cause) {
    throw startError(program, cwd, cause);
  }
  const { nodeChildProcess } = child;
  const exited = new Promise<void>((resolve) => nodeChildProcess.once("exit", () => resolve()));
  // Rejects with the `error` event of a process that did not start.
  await once(nodeChildProcess, "spawn").catch((cause: unknown) => {
    throw startError(program, cwd, cause);
  });

  const stdin: Writable = child.stdin;
  const stdout: Readable = child.stdout;
  const stderr: Readable = child.stderr;
  const tail = new Tail(STDERR_BYTES);
  stderr.on("data", (chunk: Buffer) => tail.push(chunk));
  if (log) logLines(stderr, program, log);
  for (const stream of [stdin, stdout, stderr]) stream.on("error", () => {});

  return (events) => {
    let done = false;
    let cancelTimer = (): void => {};
    let cancelLast = (): void => {};

    const finish = (): void => {
      if (done) return;
      done = true;
      cancelTimer();
      cancelLast();
      for (const stream of [stdin, stdout, stderr]) stream.destroy();
      events.ended(childEnd(nodeChildProcess.exitCode, nodeChildProcess.signalCode, tail.text(TAIL_BYTES)));
    };
    const end = (firstMs = exitMs): void => {
      if (!stdin.writableEnded) stdin.end();
      if (nodeChildProcess.exitCode !== null || nodeChildProcess.signalCode !== null) return;
      cancelTimer();
      cancelTimer = runtime.setTimer(() => {
        child.kill("SIGTERM");
        cancelTimer = runtime.setTimer(() => child.kill("SIGKILL"), exitMs);
      }, firstMs);
    };
    const awaitSilence = (): void => {
      cancelTimer();
      // One more turn, in which a loop that was held up reads what had arrived.
      cancelTimer = runtime.setTimer(() => runtime.nextTurn(finish), SILENCE_MS);
    };
    let gone = false;
    let bytesAfterExit = 0;
    stdout.on("data", (chunk: Buffer) => {
      if (gone) {
        awaitSilence();
        bytesAfterExit += chunk.length;
      }
      events.data(chunk);
      if (bytesAfterExit > AFTER_EXIT_BYTES) finish();
    });
    stdout.once("end", () => {
      events.outputEnded();
      if (!gone) end();
    });
    stdin.once("error", (cause) => events.inputLost(cause));
    void exited.then(() => {
      gone = true;
      // What it leaves behind in its group holds its pipes, and would outlive it.
      child.kill("SIGKILL");
      if (stdout.readableEnded || stdout.destroyed) return finish();
      // Node reads on by itself what was held up.
      stdout.once("close", finish);
      awaitSilence();
      cancelLast = runtime.setTimer(() => runtime.nextTurn(finish), AFTER_EXIT_MS);
    });
    return {
      pid: child.pid as number, // It has been spawned.
      stdin,
      end,
      kill(signal) {
        if (!gone) child.kill(signal);
      },
      pause() {
        if (!gone) stdout.pause();
      },
      resume: () => void stdout.resume(),
      stderr: () => tail.text(TAIL_BYTES),
    };
  };
}

function spawn(
  execa: Execa,
  program: string,
  args: readonly string[],
  cwd: string | undefined,
  env: Record<string, string>,
) {
  return execa(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env,
    extendEnv: false,
    buffer: false,
    reject: false,
    encoding: "buffer",
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
    // A process group of its own, which `kill` means.
    killDescendants: true,
    forceKillAfterDelay: false,
  });
}
