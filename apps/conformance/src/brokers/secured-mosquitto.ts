import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrokerDoor, BrokerSecurity, SecuredBroker } from "./broker.ts";
import { brokerProcess } from "./broker-process.ts";
import { CONTROL, dynamicSecurity } from "./dynamic-security.ts";
import { MissingBroker } from "./place.ts";
import { freePorts, installed, installedLibrary } from "./program.ts";
import { rawClient } from "./raw-client.ts";

const PLUGIN = "mosquitto_dynamic_security.so";

/** Starts Mosquitto 2 with its dynamic-security plugin; no process waits for it to end. @throws MissingBroker when one of the two is not installed */
export async function startSecuredMosquitto({ doors, users }: BrokerSecurity): Promise<SecuredBroker> {
  const program = installed("mosquitto");
  const plugin = installedLibrary(PLUGIN);
  if (program === undefined || plugin === undefined)
    throw new MissingBroker(
      `a broker that knows its users is needed: Mosquitto 2 with ${PLUGIN} (apt install mosquitto; aedes has no users to set up)`,
    );
  const suite = { name: "suite", password: randomBytes(12).toString("hex") };
  const names = Object.keys(doors);
  const [plain, ...ports] = await freePorts(1 + names.length);
  const directory = await mkdtemp(join(tmpdir(), "parley-secured-"));
  const url = new URL(`mqtt://${suite.name}:${suite.password}@127.0.0.1:${plain}`);
  const listeners = Object.entries(doors).map(([name, door], at) => listener(join(directory, name), door, ports[at]));
  const file = join(directory, "mosquitto.conf");
  const keep = (path: string, text: string): Promise<void> => writeFile(path, text, { mode: 0o600 });
  try {
    await keep(join(directory, "users.json"), dynamicSecurity(users, suite));
    for (const { files } of listeners) for (const [path, text] of files) await keep(path, text);
    await keep(
      file,
      [
        `listener ${plain} 127.0.0.1`,
        ...listeners.flatMap(({ settings }) => settings),
        "allow_anonymous false",
        `plugin ${plugin}`,
        `plugin_opt_config_file ${join(directory, "users.json")}`,
        "set_tcp_nodelay true",
        "log_dest stderr",
        ...(process.getuid?.() === 0 ? ["user root"] : []),
        "",
      ].join("\n"),
    );
    const child = spawn(program, ["-c", file], { stdio: ["ignore", "pipe", "pipe"] });
    const running = await brokerProcess(child, { program: "mosquitto", url, started: /mosquitto version .* running/ });
    // It outlives scenarios, and is none of what they leave behind.
    const held = [child, child.stdout as Socket, child.stderr as Socket];
    for (const one of held) one.unref();
    return {
      door(name) {
        const at = names.indexOf(name);
        if (at < 0) throw new RangeError(`there is no door ${name}: ${names.join(", ")}`);
        return new URL(`mqtts://127.0.0.1:${ports[at]}`);
      },
      renew: (username, password) =>
        control(url, { command: "setClientPassword", username, password }, { command: "enableClient", username }),
      shutOut: (username) => control(url, { command: "disableClient", username }),
      async end() {
        for (const one of held) one.ref();
        await running.end("SIGTERM");
        await rm(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

/** A listener with TLS, and the files that it needs. */
function listener(
  place: string,
  { server, authority }: BrokerDoor,
  port: number | undefined,
): { readonly settings: readonly string[]; readonly files: readonly (readonly [path: string, text: string])[] } {
  const [cert, key, ca] = [`${place}.crt`, `${place}.key`, `${place}.ca`];
  const known = authority === undefined ? [] : [[ca, authority] as const];
  const asking = [`cafile ${ca}`, "require_certificate true", "use_identity_as_username true"];
  return {
    settings: [
      `listener ${port} 127.0.0.1`,
      `certfile ${cert}`,
      `keyfile ${key}`,
      ...(authority === undefined ? [] : asking),
    ],
    files: [[cert, server.cert], [key, server.key], ...known],
  };
}

/** Has the plugin do something; it has when the broker acknowledges. */
async function control(url: URL, ...commands: readonly object[]): Promise<void> {
  const client = await rawClient(url);
  try {
    await client.publish(CONTROL, JSON.stringify({ commands }));
  } finally {
    client.close();
  }
}
