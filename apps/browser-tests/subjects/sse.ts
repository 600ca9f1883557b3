import type { Subject } from "@parley/conformance";
import { sse as listening } from "@parley/transport-sse";
import { sse as dialling } from "../../../packages/transport-sse/src/browser/index.ts";
import { browserSubject } from "./subject.ts";

export const subject: Subject = browserSubject({ name: "sse", tapping: "http", dialling, listening });
