import { once } from "node:events";
import { connect } from "node:net";
import { startAedes } from "./aedes.ts";
import type { BrokerKind, FoundBroker } from "./broker.ts";
import { lackingBrokers } from "./lacking.ts";
import { startMosquitto } from "./mosquitto.ts";
import { connectPacket } from "./raw-client.ts";
import { retainedAt } from "./retained.ts";
import { startSecuredMosquitto } from "./secured-mosquitto.ts";

/** An MQTT broker: Mosquitto (MQTT 5) where it is installed, else aedes (MQTT 3.1.1) from npm. */
export const mqttBroker: BrokerKind = {
  title: "an MQTT broker",
  usual: "mqtt://127.0.0.1:1883",
  help: "start one on 127.0.0.1:1883 (apt install mosquitto, or docker run -p 1883:1883 eclipse-mosquitto:2 mosquitto -c /mosquitto-no-auth.conf), name one with --url mqtt://host, or install one for the suite to start (npm install aedes)",
  answers,
  identify,
  start: startMosquitto,
  startLesser: startAedes,
  lacking: lackingBrokers,
  secured: startSecuredMosquitto,
};

const CONNACK = 0x20;

/** What Mosquitto and others publish of themselves, `mosquitto version 2.0.18`; they may keep it to themselves. */
async function identify(url: URL): Promise<FoundBroker | undefined> {
  try {
    const said = (await retainedAt(url, "$SYS/broker/version")).get("$SYS/broker/version");
    const [, name, version] = /^(\S+) version (\S+)$/.exec(said?.trim() ?? "") ?? [];
    if (name !== undefined && version !== undefined) return { name, version };
    return said === undefined ? undefined : { name: said.trim().slice(0, 80) };
  } catch {
    return undefined; // a broker need not tell; whether it answers at all has been seen
  }
}

async function answers(url: URL): Promise<boolean> {
  const socket = connect({ host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port || 1883) });
  socket.setTimeout(1_000, () => socket.destroy(new Error("no answer")));
  socket.on("error", () => {});
  try {
    const closed = once(socket, "close").then(() => [Buffer.alloc(0)]);
    socket.write(connectPacket(url));
    const [chunk] = (await Promise.race([once(socket, "data"), closed])) as [Buffer];
    return chunk[0] === CONNACK;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
