import { rawClient } from "./raw-client.ts";

/** What an MQTT broker retains under a filter, by topic. @throws Error when it does not answer */
export async function retainedAt(url: URL, filter: string): Promise<ReadonlyMap<string, string>> {
  const client = await rawClient(url);
  try {
    // What is retained comes with the subscription, so before the answer to what is asked after it.
    await client.subscribe(filter);
    await client.ping();
    return new Map(client.heard.map(({ topic, payload }) => [topic, payload]));
  } finally {
    client.close();
  }
}
