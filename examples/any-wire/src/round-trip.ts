import { once } from "node:events";
import { agent, connect, contract, request, serve, serverStream, type Transport, topic } from "@parley/core";
import { z } from "zod";

const weather = contract("weather", {
  average: request({ input: z.object({ celsius: z.array(z.number()) }), output: z.object({ celsius: z.number() }) }),
  forecast: serverStream({ input: z.object({ days: z.number() }), item: z.object({ day: z.number() }) }),
  measured: topic({ path: "stations/{station}", data: z.object({ celsius: z.number() }) }),
});

/** The agent, the same on every wire. */
export const station = agent(weather, {
  average: ({ celsius }) => ({ celsius: celsius.reduce((sum, one) => sum + one, 0) / celsius.length }),
  async *forecast({ days }) {
    for (let day = 1; day <= days; day++) yield { day };
  },
});

/** Makes a request, reads a stream, publishes to itself, and prints what came of it. */
export async function call(url: string | URL, transport: Transport): Promise<void> {
  const remote = await connect(weather, url, { transports: [transport] });
  try {
    const { celsius } = await remote.average({ celsius: [18, 24] });
    const days: number[] = [];
    for await (const { day } of remote.forecast({ days: 3 })) days.push(day);
    const measured = await remote.measured.subscribe();
    await remote.measured.publish({ station: "north" }, { celsius });
    for await (const { params, data } of measured) {
      console.log(`days ${days.join(" ")}, ${params.station} ${data.celsius}`);
      break;
    }
  } finally {
    await remote.close();
  }
}

/** By the program's arguments: `serve [url]` until stdin ends, `call [url]`, or `both [url]`, which is what no arguments mean. */
export async function run(usualUrl: string, transport: Transport): Promise<void> {
  const [role = "both", url = usualUrl] = process.argv.slice(2);
  if (role === "call") return call(url, transport);
  const server = await serve(station, [url], { transports: [transport] });
  try {
    if (role === "both") await call(server.urls[0], transport);
    else {
      console.log(server.urls[0].href);
      await once(process.stdin.resume(), "end");
    }
  } finally {
    await server.close();
  }
}
