/**
 * Plain data as an Erlang term: objects are maps, keys and texts are binaries.
 */
export type Data = null | boolean | number | string | ReadonlyArray<Data> | { readonly [key: string]: Data }

/** Prints it in one line. Texts must be printable ASCII. */
export const print = (data: Data): string => {
  if (typeof data === "string") return `<<${JSON.stringify(data)}>>`
  if (data === null) return "nil"
  if (typeof data !== "object") return String(data)
  if (isArray(data)) return `[${data.map(print).join(",")}]`
  return `#{${Object.entries(data).map(([key, value]) => `${print(key)}=>${print(value)}`).join(",")}}`
}

const isArray = (data: Data): data is ReadonlyArray<Data> => Array.isArray(data)
