import { ParleyError } from "@parley/core/transport";
import { startChild } from "../child.ts";
import { ownEnvironment } from "../environment.ts";
import type { StartHistory } from "../start-limit.ts";
import type { Counts } from "./counts.ts";
import { Dialogue, runner } from "./dialogue.ts";
import type { StdioFormat } from "./formats.ts";
import { type Operation, operate } from "./operation.ts";
import type { StdioHook } from "./options.ts";
import { RawExchange } from "./raw-exchange.ts";
import { Session } from "./session.ts";
import type { Settings } from "./settings.ts";

/** What {@link startSession} needs beside the settings. */
export interface StartInit {
  readonly history: StartHistory;
  readonly counts: Counts;
  /** Gives the start up. */
  readonly signal: AbortSignal;
  /** Told of the session before it is ready: its child is to be waited for, whatever comes of it. */
  begun(session: Session): void;
}

/**
 * Starts a child and makes it ready: its first prompt has come, and `onStart` is done. One with which that fails is ended.
 * @throws ParleyError why it came to nothing
 */
export async function startSession<Format extends StdioFormat>(
  settings: Settings<Format>,
  { history, counts, signal, begun }: StartInit,
): Promise<Session> {
  const { program, prompt, onStart, runtime, connectTimeoutMs: timeoutMs } = settings;
  return await operate({ program, runtime, signal, timeoutMs }, async (operation) => {
    const env = await ownEnvironment(settings, { timeoutMs, signal, runtime });
    if (operation.error) throw operation.error;
    history.start(program, runtime);
    const open = await startChild({ ...settings, env });
    counts.starts++;
    const session = new Session(open, { ...settings, counts });
    begun(session);
    try {
      if (session.exchange instanceof RawExchange && prompt !== undefined)
        await session.exchange.readUntil(prompt, operation);
      if (onStart) await runHook(onStart, "onStart", session, settings, operation);
      if (operation.error) throw operation.error;
      return session;
    } catch (error) {
      session.close();
      throw error;
    }
  });
}

/** Lets a hook speak with a session, until the operation is given up. */
export function runHook<Format extends StdioFormat>(
  hook: StdioHook<Format>,
  name: string,
  session: Session,
  settings: Settings<Format>,
  operation: Operation,
): Promise<void> {
  const dialogue = new Dialogue<Format>(runner(settings, async () => session));
  return operation.wait(`was not done with ${name}`, (resolve, reject) => {
    const controller = new AbortController();
    const run = async (): Promise<void> => void (await hook(dialogue, { signal: controller.signal }));
    run().then(resolve, (thrown: unknown) => {
      const problem = `${name} failed for ${settings.program}`;
      const failed = { outcome: "not-sent", cause: thrown } as const;
      reject(thrown instanceof ParleyError ? thrown : new ParleyError("failed_precondition", problem, failed));
    });
    return () => controller.abort();
  });
}
