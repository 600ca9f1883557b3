import { execFile, spawn } from "node:child_process";
import { pbkdf2Sync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { certificates } from "@parley/test-certificates";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "./compile.ts";
import { snippetsOf } from "./snippets.ts";

const run = promisify(execFile);

/** Debian puts it where users' paths do not lead. Where CI is set it has to be there. */
const mosquitto = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto"].find((file) => existsSync(file));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // a TCP server's address is an object
  server.close();
  await once(server, "close");
  return port;
}

/** A line of a password file, as `mosquitto_passwd` writes it. */
function passwordLine(user: string, password: string): string {
  const salt = randomBytes(12);
  const hash = pbkdf2Sync(password, salt, 101, 64, "sha512");
  return `${user}:$7$101$${salt.toString("base64")}$${hash.toString("base64")}\n`;
}

describe.runIf(mosquitto ?? process.env["CI"])("docs/clients/mqtt.md", async () => {
  const ports: Readonly<Record<string, number>> = {
    1883: await freePort(),
    1884: await freePort(),
    8883: await freePort(),
  };
  const page = snippetsOf("docs/clients/mqtt.md", (text) =>
    text.replaceAll(/:(1883|1884|8883)\b/g, (_, port) => `:${ports[port]}`),
  );
  const programs = { ...page, files: page.files.filter((file) => file.startsWith("mqtt-")) };
  const file = (name: string): string => join(page.folder, name);
  let stop = async (): Promise<void> => {};

  beforeAll(async () => {
    const { ca, serverCert, serverKey } = certificates;
    const texts = {
      "ca.pem": ca,
      "cert.pem": serverCert,
      "key.pem": serverKey,
      rules: "topic readwrite open/#\n",
      users: passwordLine("ann", "ann's password"),
      "mosquitto.conf": `per_listener_settings true\nset_tcp_nodelay true\nuser root
listener ${ports[1883]} 127.0.0.1\nallow_anonymous true
listener ${ports[1884]} 127.0.0.1\nallow_anonymous true\nacl_file ${file("rules")}
listener ${ports[8883]} 127.0.0.1\nallow_anonymous false\npassword_file ${file("users")}
cafile ${file("ca.pem")}\ncertfile ${file("cert.pem")}\nkeyfile ${file("key.pem")}\n`,
    };
    for (const [name, text] of Object.entries(texts)) writeFileSync(file(name), text, { mode: 0o644 });
    const broker = spawn(mosquitto ?? "mosquitto", ["-c", file("mosquitto.conf")], { stdio: "ignore" });
    const exited = once(broker, "exit");
    stop = async () => {
      broker.kill();
      await exited;
    };
    for (const port of Object.values(ports)) {
      while (broker.exitCode === null) {
        const socket = connect(port, "127.0.0.1");
        const open = await once(socket, "connect").catch(() => undefined);
        socket.destroy();
        if (open) break;
      }
    }
    expect(broker.exitCode).toBeNull();
  });

  afterAll(async () => {
    await stop();
    rmSync(page.folder, { recursive: true, force: true });
  });

  it("compiles", () => compile(programs), 30_000);

  it.each([
    [
      "mqtt-messages.ts",
      'rooms/kitchen/temperature 1 {"celsius":21.5}\nalarms/kitchen/door 2 open\nalarms/kitchen/door: open (retained)\n',
    ],
    ["mqtt-properties.ts", "{ value: 144 } application/json 1\ntrue\n"],
    ["mqtt-tls.ts", "open { sessionPresent: false, protocolVersion: 5 }\n"],
    ["mqtt-session.ts", "true orders/1 { total: 12 }\n"],
    [
      "mqtt-faults.ts",
      "unavailable not-sent undefined\npermission_denied rejected 87\ninvalid_argument not-sent undefined\n" +
        "cancelled not-sent undefined\n51 50 open\n",
    ],
  ])("%s runs, and ends by itself", async (program, printed) => {
    const { stdout } = await run(process.execPath, [program], { cwd: programs.folder });
    expect(stdout).toBe(printed);
  });
});
