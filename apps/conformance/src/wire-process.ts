import { fork } from "node:child_process";
import type { Manifest } from "@parley/core/transport";
import type { Profile } from "./profile.ts";
import type { Result } from "./result.ts";
import { T_MS } from "./run-scenario.ts";
import type { Scenario } from "./scenario.ts";
import type { SubjectRef } from "./subjects/index.ts";
import type { Found } from "./tested.ts";
import type { Verdict } from "./verdict.ts";
import type { WorkerMessage, WorkerOrder } from "./worker-messages.ts";

/** How to run one wire in a process of its own. */
export interface WireProcessOptions {
  readonly scenarios: readonly Scenario[];
  readonly seed: string;
  readonly scale: number;
  readonly profile: Profile;
  readonly urls: readonly string[];
  readonly repeat: number;
  onName(name: string): void;
  onManifest(manifest: Manifest): void;
  onFound(found: Found): void;
  onStart(scenario: string): void;
  onResult(result: Result): void;
}

/** How often a process that was lost is replaced by another for the scenarios that are left. */
const MAX_LOSSES = 3;

/**
 * Runs a wire in a process of its own, and another if the subject takes that one down or blocks it: what was running then has failed,
 * the rest goes on. Every scenario gets a result.
 */
export async function runWireProcess(ref: SubjectRef, options: WireProcessOptions): Promise<void> {
  let name = ref.name;
  let left = options.scenarios;
  const give = (scenario: Scenario, verdict: Verdict, message: string): void => {
    left = left.filter((one) => one !== scenario);
    const { id, group, level, title } = scenario;
    options.onResult({ transport: name, scenario: id, group, level, title, verdict, ms: 0, message, witnesses: [] });
  };
  for (let losses = 0; left.length > 0; losses++) {
    const { running, ended, message } = await runOnce(ref, {
      ...options,
      scenarios: left,
      onName: (own) => {
        name = own;
        options.onName(own);
      },
      onResult: (result) => {
        left = left.filter(({ id }) => id !== result.scenario);
        options.onResult(result);
      },
    });
    const rest = [...left];
    if (ended === "blocked") for (const scenario of rest) give(scenario, "blocked", message);
    else if (ended === "broken") for (const scenario of rest) give(scenario, "error", message);
    else {
      const lost = rest.find(({ id }) => id === running);
      if (lost) give(lost, "fail", `processes: ${message}`);
      if (!lost || losses + 1 >= MAX_LOSSES)
        for (const scenario of [...left]) give(scenario, "error", `not run: ${message}`);
    }
  }
}

interface End {
  readonly ended: "done" | "blocked" | "broken" | "lost";
  /** Id of the scenario that was under way. */
  readonly running: string | undefined;
  readonly message: string;
}

function runOnce({ module, program }: SubjectRef, options: WireProcessOptions): Promise<End> {
  const { scenarios, seed, scale, profile, urls, repeat } = options;
  const here = import.meta.url;
  const child = fork(new URL(here.endsWith(".ts") ? "./worker.ts" : "./worker.js", here), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
    execArgv: [],
  });
  const { promise, resolve } = Promise.withResolvers<End>();
  let running: string | undefined;
  let stderr = "";
  let end: Omit<End, "running"> | undefined;
  let watchdog: NodeJS.Timeout | undefined;
  const watch = (): void => {
    clearTimeout(watchdog);
    const limit = scenarios.find(({ id }) => id === running)?.limit ?? 10;
    const silenceMs = T_MS * scale * (limit + 15) * repeat;
    watchdog = setTimeout(() => {
      end ??= {
        ended: "lost",
        message: `the caller's process gave no sign for ${Math.round(silenceMs / 1000)} s (is its event loop blocked?)`,
      };
      child.kill("SIGKILL");
    }, silenceMs);
  };
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4_000);
  });
  child.on("message", (received) => {
    const message = received as WorkerMessage; // from our own process
    running = message.type === "start" ? message.scenario : message.type === "result" ? undefined : running;
    watch();
    switch (message.type) {
      case "name":
        return options.onName(message.name);
      case "manifest":
        return options.onManifest(message.manifest);
      case "found":
        return options.onFound(message.found);
      case "start":
        return options.onStart(message.scenario);
      case "result":
        return options.onResult(message.result);
      case "done":
        end ??= { ended: "done", message: "the caller's process left scenarios out" };
        return;
      default:
        end ??= { ended: message.type, message: message.message };
    }
  });
  child.on("error", (error) => {
    end ??= { ended: "broken", message: `the caller's process does not start: ${error.message}` };
  });
  child.on("close", (code, signal) => {
    clearTimeout(watchdog);
    const words = stderr.trimEnd();
    resolve({
      running,
      ...(end ?? {
        ended: "lost",
        message: `the caller's process ended (${signal ?? `exit code ${code}`})${words ? `:\n${words}` : ""}`,
      }),
    });
  });
  watch();
  const ids = scenarios.map(({ id }) => id);
  const order: WorkerOrder = { module, program, scenarios: ids, seed, scale, profile, urls, repeat };
  child.send(order);
  return promise;
}
