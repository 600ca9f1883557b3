import { pbkdf2Sync, randomBytes } from "node:crypto";
import type { BrokerUser } from "./broker.ts";

/** What the suite itself is at a broker that lets in only whom it knows. */
export interface Administrator {
  readonly name: string;
  readonly password: string;
}

/** Where Mosquitto's dynamic-security plugin takes commands. */
export const CONTROL = "$CONTROL/dynamic-security/v1";

const ITERATIONS = 101;
const ADMINISTRATOR = "administrator";

/**
 * What Mosquitto's dynamic-security plugin starts from, as JSON: of its ways to control access the one that also answers a forbidden
 * subscription with 0x87, where an ACL file has it granted and delivers nothing.
 */
export function dynamicSecurity(users: readonly BrokerUser[], administrator: Administrator): string {
  const all = [...users.map((user) => [user, user.name] as const), [administrator, ADMINISTRATOR] as const];
  return JSON.stringify({
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    groups: [],
    clients: all.map(([{ name, password }, rolename]) => ({
      username: name,
      ...hashed(password),
      roles: [{ rolename }],
    })),
    roles: [
      ...users.map((user) => role(user.name, sends(user), subscribes(user))),
      role(ADMINISTRATOR, ["$CONTROL/#"], []),
    ],
  });
}

/** By Parley's layout of topics, in which each sends in their own name only. */
function sends({ name, calls = [], topics }: BrokerUser): readonly string[] {
  return [
    ...calls.map((type) => `+/+/call/${name}/${type}`),
    ...(topics === undefined ? [] : [topics]),
    `+/+/all/${name}`,
    `parley/inbox/+/+/${name}`,
    `parley/gone/${name}/+`,
  ];
}

function subscribes({ name, topics, serves = false }: BrokerUser): readonly string[] {
  return [
    ...(serves ? ["$share/+/+/+/call/+/+", "+/+/call/+/+", "+/+/all/+"] : []),
    ...(topics === undefined ? [] : [topics]),
    `parley/inbox/${name}/#`,
    "parley/gone/+/+",
  ];
}

function role(rolename: string, send: readonly string[], subscribe: readonly string[]): object {
  const may = (acltype: string) => (topic: string) => ({ acltype, topic, allow: true, priority: 0 });
  return { rolename, acls: [...send.map(may("publishClientSend")), ...subscribe.map(may("subscribePattern"))] };
}

function hashed(password: string): object {
  const salt = randomBytes(12);
  const key = pbkdf2Sync(password, salt, ITERATIONS, 64, "sha512");
  return { password: key.toString("base64"), salt: salt.toString("base64"), iterations: ITERATIONS };
}
