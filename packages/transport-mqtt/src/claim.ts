import { createEnvelope, type Envelope, errorFor, ParleyError, type Runtime } from "@parley/core/transport";
import { GRACE_FLOOR_MS, GRACE_ROUND_TRIPS } from "./probe.ts";

/** Asks whether somebody else serves an agent, where the broker cannot share its calls among several. */
const CLAIM = "parley.claim.v1";
/** Answers that somebody does. */
const TAKEN = "parley.claimed.v1";

/** What {@link claim} takes. */
export interface ClaimInit {
  readonly agent: string;
  readonly inbox: string;
  readonly runtime: Runtime;
  /** To all who serve the agent, this process among them. */
  askAll(message: Envelope): void;
  answer(inbox: string, message: Envelope): void;
  /** Time for this process's own question to come back, ms. */
  readonly timeoutMs: number;
  /** Resolves when the link has ended. */
  readonly closed: Promise<unknown>;
}

/** One process's claim to be the only one that serves an agent. */
export interface Claim {
  /** Takes what comes to all who serve the agent, and to the inbox. @returns whether it was about claims */
  heard(message: Envelope): boolean;
  /** Resolves when nobody else has said that the agent is served. @throws ParleyError `already_exists`, `permission_denied` when the broker delivers no questions */
  settled(): Promise<void>;
}

/** Prepares a claim; both subscriptions must be there before `settled` is called. */
export function claim({ agent, inbox, runtime, timeoutMs, askAll, answer, closed }: ClaimInit): Claim {
  let state: "asking" | "held" | "lost" | "unheard" = "asking";
  let returned: (() => void) | undefined;
  let taken: (() => void) | undefined;
  const message = (type: string): Envelope =>
    createEnvelope({ kind: "notify", type, source: "claim", replyto: inbox, subject: agent }, runtime);
  return {
    heard({ type, replyto = "", subject }) {
      if (type === TAKEN && subject === agent) taken?.();
      if (type === CLAIM) {
        if (replyto === inbox) returned?.();
        // Of two who ask at the same time, one goes first.
        else if (state === "held" || (state === "asking" && inbox < replyto)) answer(replyto, message(TAKEN));
      }
      return type === TAKEN || type === CLAIM;
    },
    async settled() {
      let cancelTimer = (): void => {};
      const asked = runtime.now();
      await new Promise<void>((resolve) => {
        taken = () => {
          state = "lost";
          resolve();
        };
        cancelTimer = runtime.setTimer(() => {
          state = "unheard";
          resolve();
        }, timeoutMs);
        returned = () => {
          cancelTimer();
          // Others have it by now, and answer about as fast.
          const graceMs = Math.max(GRACE_FLOOR_MS, GRACE_ROUND_TRIPS * (runtime.now() - asked));
          cancelTimer = runtime.setTimer(resolve, graceMs);
        };
        void closed.then(() => resolve());
        askAll(message(CLAIM));
      });
      cancelTimer();
      if (state === "unheard")
        throw errorFor(
          "permission_denied",
          `what this process sends to ${agent}/all does not come back within ${timeoutMs} ms, so others who serve ${agent} cannot be found out: it must be allowed to write ${agent}/all/<its name> and to read ${agent}/all/+`,
          { outcome: "not-sent" },
        );
      if (state === "lost")
        throw new ParleyError(
          "already_exists",
          `${agent} is served by another process, and this broker shares no subscriptions; replicas need one that does (MQTT 5)`,
          { outcome: "not-sent" },
        );
      state = "held";
    },
  };
}
