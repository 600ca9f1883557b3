/** The type of an operation at a major version, `text.summarize.v1`. */
export function operationType(name: string, version: number): string {
  return `${name}.v${version}`;
}

/** An operation and its major version. */
export interface OperationVersion {
  /** `text.summarize` */
  readonly name: string;
  /** 1 and up. */
  readonly version: number;
}

const TYPE = /^(.+)\.v([1-9]\d{0,8})$/s;

/** What {@link operationType} made; undefined for a type that names no version, such as that of a foreign event. */
export function parseType(type: string): OperationVersion | undefined {
  const match = TYPE.exec(type);
  return match?.[1] === undefined ? undefined : { name: match[1], version: Number(match[2]) };
}
