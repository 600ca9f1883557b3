import type { Call } from "../call/call.ts";
import { type ParleyError, ValidationError } from "../call/error.ts";
import type { Reply } from "../call/interceptor.ts";
import { checkFilter, checkTopic } from "../envelope/topic-name.ts";
import { parseType } from "../envelope/version.ts";
import type { Contract } from "./contract.ts";
import { FilterTree } from "./filter-tree.ts";
import type { Hub } from "./hub.ts";
import { andThen, type Maybe } from "./maybe.ts";
import { type TopicForms, topicForms } from "./topic-forms.ts";
import { parsePath, type TopicPath } from "./topic-path.ts";

interface DeclaredTopic {
  readonly path: TopicPath;
  readonly forms: TopicForms;
}

/** How an agent answers calls of kind `publish` and `subscribe`: any topic, by its hub; those that its contract declares are checked. */
export interface AgentTopics {
  /** @throws ValidationError when subject or data do not fit. */
  publish(call: Call): Maybe<Reply>;
  /** @throws ValidationError when the subject is no filter. */
  subscribe(call: Call): Reply;
}

/** Prepares the topics of a contract. */
export function agentTopics({ name, operations }: Contract, hub: Hub): AgentTopics {
  const tree = new FilterTree<DeclaredTopic>();
  const declared = new Map<string, DeclaredTopic>();
  for (const [key, entry] of Object.entries(operations)) {
    if (entry.kind !== "topic") continue;
    const full = `${name}.${key}`;
    const one: DeclaredTopic = { path: parsePath(entry.path), forms: topicForms(full, entry) };
    declared.set(full, one);
    tree.add(one.path.filter, one);
  }
  return {
    publish({ message }) {
      const subject = checkTopic(message.subject);
      // Paths of one contract do not overlap: there is at most one.
      let found: DeclaredTopic | undefined;
      tree.match(subject, (one) => {
        found = one;
      });
      const meant = declared.get(parseType(message.type)?.name ?? "");
      if (meant && meant !== found) throw elsewhere(message.type, subject, meant.path);
      return andThen(found?.forms.receive(message), () => {
        hub.publish(message);
        return accepted;
      });
    },
    subscribe(call) {
      return { output: hub.subscribe(checkFilter(call.message.subject), call) };
    },
  };
}

const accepted: Reply = {};

function elsewhere(type: string, subject: string, { filter }: TopicPath): ParleyError {
  const why = `is not of the topic ${type}, whose topics match ${filter}`;
  return new ValidationError(`${subject} ${why}`, [{ message: why, path: ["subject"] }]);
}
