import { TransportError } from "../call/error.ts";
import { operationType } from "../envelope/version.ts";
import { onGap } from "../transport/reconnect/gap.ts";
import { type CallOptions, checkCallOptions, type SubscribeOptions } from "./call-options.ts";
import type { Current } from "./client-operation.ts";
import { tell } from "./client-operation.ts";
import { isPromise } from "./maybe.ts";
import { type Calling, missing, OpenCall } from "./open-call.ts";
import { checkTimeout } from "./opener.ts";
import type { Topic } from "./topic.ts";
import { topicForms } from "./topic-forms.ts";
import { parsePath } from "./topic-path.ts";
import { TopicSubscription } from "./topic-subscription.ts";

type Values = Readonly<Record<string, unknown>>;

/** Publishes to and subscribes to a topic; the untyped form of a client's member. */
export interface TopicMember {
  publish(params: Values, data: unknown, options?: CallOptions): Promise<void>;
  subscribe(params?: Values, options?: SubscribeOptions): Promise<TopicSubscription>;
}

/** Prepares a client's member for a topic: all that does not differ from call to call. */
export function clientTopic(
  calling: Calling,
  name: string,
  topic: Topic,
  version: number,
): (current: Current) => TopicMember {
  const type = operationType(name, version);
  const path = parsePath(topic.path);
  const forms = topicForms(name, topic);
  const write = forms.sending(version);
  return (current) => ({
    async publish(params, data, options) {
      if (options) checkCallOptions(options);
      const parent = current();
      const subject = path.topic(params);
      const written = write(data);
      const ready = isPromise(written) ? await written : written;
      await tell(calling, { kind: "publish", type, data: ready, subject, options, parent });
    },

    async subscribe(params = {}, options) {
      if (options) checkCallOptions(options);
      const subject = path.filterFor(params);
      const start = {
        kind: "subscribe",
        type,
        data: undefined,
        subject,
        options,
        parent: current(),
        endless: true,
      } as const;
      const open = new OpenCall(calling, start);
      if (options?.onGap) open.call.context.set(onGap, options.onGap);
      try {
        const output = await activated(open, options?.timeoutMs ?? calling.timeoutMs, calling);
        return new TopicSubscription(open, output, { filter: subject, path, read: forms.receive, log: calling.log });
      } catch (error) {
        open.close();
        throw error;
      }
    },
  });
}

/** Waits until a subscription is active, and no longer than allowed. */
async function activated(open: OpenCall, timeoutMs: number | undefined, { runtime }: Calling) {
  const late = (): void =>
    open.abort(
      new TransportError("deadline_exceeded", `the subscription was not active within ${timeoutMs} ms`, {
        outcome: "unknown",
      }),
    );
  const cancelTimer = timeoutMs === undefined ? undefined : runtime.setTimer(late, checkTimeout(timeoutMs));
  try {
    const { output } = await open.answered();
    if (!output) throw missing(open.call.message.type, "output");
    return output;
  } finally {
    cancelTimer?.();
  }
}
