import type { Presented } from "../transport/index.ts";

/** The headers of a request as what its sender presents. @param raw as `rawHeaders` of `node:http` has them: name, value, name, value */
export function presentedHeaders(raw: readonly string[]): Presented {
  return {
    header(name) {
      const values: string[] = [];
      for (let index = 0; index + 1 < raw.length; index += 2)
        if ((raw[index] as string).toLowerCase() === name) values.push(raw[index + 1] as string);
      return values;
    },
  };
}
