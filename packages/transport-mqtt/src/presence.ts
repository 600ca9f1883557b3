import { cancelled, ParleyError } from "@parley/core/transport";
import { checkUserTopic } from "./layout.ts";
import type { LinkInit } from "./link-init.ts";
import { openLink } from "./open-link.ts";
import type { MqttPresence } from "./options.ts";
import { writeData } from "./payload.ts";

/**
 * Tells by a retained topic that this process is there, until the returned function is called or the process vanishes. Its connection bears
 * the will; that of the calls has one of its own.
 * @throws ParleyError as `openLink`, and `cancelled` also while the topic is being told; `failed_precondition` with a broker that retains nothing
 */
export async function announce(
  init: LinkInit,
  { topic: name, online = "online", offline = "offline" }: MqttPresence,
): Promise<() => Promise<void>> {
  const topic = checkUserTopic(name);
  const retained = { qos: 1, retain: true } as const;
  const gone = payloadOf(offline);
  const will = { topic, payload: Buffer.from(gone), ...retained };
  const link = await openLink({ ...init, clientId: `${init.clientId}-presence`, will });
  const tell = (payload: string | Buffer): Promise<void> =>
    new Promise((resolve, reject) => {
      link.publish(topic, payload, retained, (error) => (error ? reject(error) : resolve()));
    });
  const leave = async (): Promise<void> => {
    // A link that is lost has had its will published. Closing waits for the confirmation, within bounds.
    const told = tell(gone).catch(() => {});
    await link.close();
    await told;
  };
  const abort = (): void => link.drop(cancelled(init.signal?.reason, "not-sent"));
  init.signal?.addEventListener("abort", abort);
  try {
    if (init.signal?.aborted) abort();
    if (!link.server.retains)
      throw new ParleyError(
        "failed_precondition",
        "presence needs retained messages, which this broker does not have",
        {
          outcome: "not-sent",
        },
      );
    await tell(payloadOf(online));
  } catch (error) {
    await link.close();
    throw error;
  } finally {
    init.signal?.removeEventListener("abort", abort);
  }
  return leave;
}

/** Text as it is, so that devices need no JSON for a word. */
function payloadOf(data: unknown): string | Buffer {
  return writeData(data, typeof data === "string" ? "text/plain" : undefined).payload;
}
