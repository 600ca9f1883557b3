import { ParleyError } from "../call/error.ts";
import type { Envelope } from "../envelope/envelope.ts";
import { operationType, parseType } from "../envelope/version.ts";
import { type Convert, receiving, sending } from "./conversion.ts";
import type { Maybe } from "./maybe.ts";
import type { Topic } from "./topic.ts";
import { answeredVersions } from "./version.ts";

/** The forms, one per version, in which data of a topic travels. */
export interface TopicForms {
  /** Checks what is published at a version. */
  sending(version: number): Convert;
  /**
   * Reads a publication in the form that its type names. A type of somebody else's, a device's say, stands for the present form.
   * @throws ValidationError; ParleyError `unimplemented` for a version of this topic that the contract does not describe.
   */
  receive(message: Envelope): Maybe<unknown>;
}

/** Prepares the forms of a topic. @param name of contract and topic, `text.status`. */
export function topicForms(name: string, topic: Topic): TopicForms {
  const place = { what: `the data of ${operationType(name, topic.version)}`, outcome: "not-sent" } as const;
  const cast = (version: number) => (version === topic.version ? undefined : topic.previous[version]?.input);
  const readers = new Map<string, Convert>(
    answeredVersions(topic).map((version) => [
      operationType(name, version),
      receiving({ ...place, schema: topic.data, cast: cast(version) }),
    ]),
  );
  const present = readers.get(operationType(name, topic.version)) as Convert;
  return {
    sending: (version) => sending({ ...place, schema: topic.data, cast: cast(version) }),
    receive(message) {
      const read = readers.get(message.type);
      if (read) return read(message.data);
      if (parseType(message.type)?.name === name) throw unknownVersion(message.type, topic);
      return present(message.data);
    },
  };
}

function unknownVersion(type: string, topic: Topic): ParleyError {
  return new ParleyError(
    "unimplemented",
    `${type} is not known here, only version ${answeredVersions(topic).join(", ")}`,
  );
}
