import { checkFilter, checkTopic } from "@parley/core/transport";
import { invalid } from "./invalid.ts";

/** First level of topics that are Parley's own; users' topics must not begin with it. */
const RESERVED = "parley";
const INBOXES = `${RESERVED}/inbox/`;
const NAME = /^[\w.~@:=!*,;()[\]{}-]{1,128}$/;
const INBOX = /^parley\/inbox\/([^/]+)\/[a-z2-7]{16}$/;

/** Where the calls to an agent are sent: `<agent>/call/<sender>/<type>`. @throws ParleyError `invalid_argument` */
export function callTopic(agent: string, sender: string, type: string): string {
  return `${agent}/call/${sender}/${checkLevel(type, "operation")}`;
}

/** Filter of the calls to an agent, unshared. */
export function callFilter(agent: string): string {
  return `${agent}/call/+/+`;
}

/** Where what concerns all replicas of an agent is sent. */
export function replicasTopic(agent: string, sender: string): string {
  return `${agent}/all/${sender}`;
}

/** Filter of what concerns all replicas of an agent. */
export function replicasFilter(agent: string): string {
  return `${agent}/all/+`;
}

/** The private address of one process. @param secret from `shortId` */
export function inboxOf(owner: string, secret: string): string {
  return `${INBOXES}${owner}/${secret}`;
}

let lastInbox = "";
let lastOwner: string | undefined;

/** Who owns an inbox; undefined when it is none. Most messages speak of the same as the one before. */
export function ownerOf(inbox: string): string | undefined {
  if (inbox !== lastInbox) {
    lastOwner = INBOX.exec(inbox)?.[1];
    lastInbox = inbox;
  }
  return lastOwner;
}

/** Where the broker tells that the owner of an inbox has vanished. */
export function goneTopic(inbox: string): string {
  return `${RESERVED}/gone/${inbox.slice(INBOXES.length)}`;
}

/** The last level of a topic. */
export function lastLevel(topic: string): string {
  return topic.slice(topic.lastIndexOf("/") + 1);
}

/** The sender and the operation in the topic of a call to an agent; undefined when it is none. */
export function readCallTopic(
  topic: string,
  agent: string,
): { readonly sender: string; readonly type: string } | undefined {
  if (!topic.startsWith(`${agent}/call/`)) return undefined;
  const [sender, type, ...more] = topic.slice(agent.length + 6).split("/");
  return sender && type && more.length === 0 ? { sender, type } : undefined;
}

/**
 * Name of the agent that a URL addresses, `agents/summarizer`; undefined for a URL without a path.
 * @throws ParleyError `invalid_argument` when it cannot be part of topics
 */
export function agentOf({ pathname }: URL): string | undefined {
  const name = pathname.replace(/^\//, "");
  if (name === "") return undefined;
  if (/^\/|\/\/|\/$/.test(name)) throw invalid(`the agent's name ${name} has an empty level`);
  return checkOwn(checkTopic(name), "name of an agent");
}

/**
 * Checks a topic that a user publishes to: the rules of core, and those of MQTT (4.7.2).
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function checkUserTopic(topic: string): string {
  return checkOwn(checkTopic(topic), "topic");
}

/**
 * Checks a filter that a user subscribes by.
 * @throws ParleyError `invalid_argument`, outcome `not-sent`
 */
export function checkUserFilter(filter: string): string {
  checkFilter(filter);
  if (/^(?:\$share|\$queue|parley)(?:\/|$)/.test(filter)) throw invalid(`the filter ${filter} is reserved`);
  return filter;
}

/**
 * Checks where a program without Parley wants its answer: a plain topic, neither Parley's own nor a call to an agent, so that nobody can
 * make an agent speak in its own name where it did not mean to.
 * @throws ParleyError `invalid_argument`
 */
export function checkResponseTopic(topic: string): string {
  checkUserTopic(topic);
  if (/\/call\/[^/]+\/[^/]+$|\/all\/[^/]+$/.test(topic)) throw invalid("the response topic is that of an agent");
  return topic;
}

/** Checks what becomes one level of a topic. @throws ParleyError `invalid_argument`, outcome `not-sent` */
export function checkLevel(value: string, what: string): string {
  if (NAME.test(value)) return value;
  const shown = JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
  throw invalid(
    `the ${what} ${shown} cannot be a level of an MQTT topic: 1 to 128 letters, digits and .~@:=_-!*,;()[]{}`,
  );
}

/** Whether a topic is Parley's own. */
export function isReserved(topic: string): boolean {
  return topic.startsWith(`${RESERVED}/`);
}

function checkOwn(topic: string, what: string): string {
  if (topic.startsWith("$")) throw invalid(`the ${what} ${topic} begins with $, which brokers keep to themselves`);
  if (topic === RESERVED || isReserved(topic))
    throw invalid(`the ${what} ${topic} begins with ${RESERVED}, which is reserved`);
  return topic;
}
