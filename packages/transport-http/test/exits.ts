import { call, collect, echo, item, items, pair } from "./pair.ts";

// Makes calls of several kinds, closes, and has nothing left to do.
const it = await pair((one) => {
  if (one.kind === "request") return echo()(one);
  return {
    output: (async function* () {
      let seq = 0;
      for await (const { data } of one.input ?? items(1, 2, 3)) yield item(one, ++seq, data);
    })(),
  };
});
await call(it, "request", { timeoutMs: 60_000 });
await collect((await call(it, "server-stream")).output);
await collect((await call(it, "bidi-stream", { input: items(1, 2) })).output);
for await (const _ of (await call(it, "subscribe")).output ?? []) break;
await it.connection.close();
await it.listener.close();
process.stdout.write("closed\n");
