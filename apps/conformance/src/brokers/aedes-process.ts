import { createServer } from "node:net";
import { Aedes } from "aedes";

/** A process that is an MQTT 3.1.1 broker on a port of 127.0.0.1, and ends with the suite. */
const broker = await Aedes.createBroker();
const server = createServer({ noDelay: true }, broker.handle);
const subscriptions = new Map<string, Set<string>>();
broker.on("subscribe", (subscribed, { id }) => {
  const own = subscriptions.get(id) ?? new Set();
  subscriptions.set(id, own);
  for (const { topic } of subscribed) own.add(topic);
});
broker.on("unsubscribe", (topics, { id }) => {
  for (const topic of topics) subscriptions.get(id)?.delete(topic);
});
broker.on("clientDisconnect", ({ id }) => subscriptions.delete(id));
process.on("message", () => {
  const count = [...subscriptions.values()].reduce((sum, { size }) => sum + size, 0);
  process.send?.({ clients: broker.connectedClients, subscriptions: count });
});
process.on("disconnect", () => process.exit());
process.on("SIGTERM", () => process.exit());
server.listen(Number(process.argv[2]), "127.0.0.1", () => {
  const { port } = server.address() as { port: number }; // a TCP server's address is an object
  process.stdout.write(`aedes listens at port ${port}\n`);
});
