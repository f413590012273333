/**
 * A view of any value that is safe to log: plain data of a bounded size, in which what is `Redacted` stays redacted.
 *
 * Loggers walk a value in ways of their own (`JSON.stringify`, `util.inspect`, Effect's `format`), and not one of them is
 * safe with the state of a server that has just crashed: it may be huge, circular, or throw when it is looked at. So they
 * get a copy instead, on which they all agree.
 *
 * @internal
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { getRedacted, isRedactable } from "effect/Redactable"
import { isPid } from "../Pid.ts"

const maxDepth = 6
const maxEntries = 50
const maxString = 1000
/** Of one view altogether, as Elixir's Logger cuts a message after as many bytes. */
const maxCharacters = 8192
/** What a value costs besides its characters, so that many small ones come to an end, too. */
const perValue = 8

/** The first characters of a text, and how long it is. */
export const cut = (text: string, max: number): string =>
  text.length <= max ? text : `${text.slice(0, Math.max(max, 0))}… (${text.length} characters)`

export const present = (value: unknown): unknown => {
  const view: View = { left: maxCharacters, deepest: 0, within: new Set() }
  const shown = viewOf(view, value, 0)
  if (typeof shown !== "object" || shown === null || view.deepest < 2) return shown
  return Object.setPrototypeOf(shown, Array.isArray(shown) ? ShownArray : Shown)
}

/** What is left of the limits while a view is made. */
interface View {
  left: number
  deepest: number
  readonly within: Set<object>
}

const viewOf = (view: View, value: unknown, depth: number): unknown => {
  view.left -= perValue
  try {
    return viewAny(view, value, depth)
  } catch {
    return "[threw]"
  }
}

const viewAny = (view: View, value: unknown, depth: number): unknown => {
  if (typeof value === "object" && value !== null) return viewNested(view, value, depth)
  if (isRedactable(value) && depth <= maxDepth) return viewOf(view, getRedacted(value), depth + 1)
  switch (typeof value) {
    case "string":
      return viewText(view, value)
    case "number":
      return Number.isFinite(value) ? value : String(value)
    case "bigint":
      return viewText(view, `${value}n`)
    case "symbol":
      return viewText(view, String(value))
    case "function":
      return viewText(view, `[Function: ${value.name}]`)
    default:
      return value
  }
}

const viewNested = (view: View, value: object, depth: number): unknown => {
  if (isPid(value)) return String(value)
  if (view.within.has(value)) return "[Circular]"
  if (depth > maxDepth || view.left <= 0) return viewOpaque(view, value)
  if (depth > view.deepest) view.deepest = depth
  view.within.add(value)
  try {
    return viewObject(view, value, depth)
  } finally {
    view.within.delete(value)
  }
}

const viewObject = (view: View, value: object, depth: number): unknown => {
  if (isRedactable(value)) return viewOf(view, getRedacted(value), depth + 1)
  if (value instanceof Error) return viewError(view, value, depth)
  if (Array.isArray(value)) return viewList(view, value, value.length, depth)
  // Services, and with them the configuration of the whole program: nothing for a log.
  if (kindOf(value) !== undefined && !Exit.isExit(value)) return viewOpaque(view, value)
  if (ArrayBuffer.isView(value)) return `[${nameOf(value)}: ${value.byteLength} bytes]`
  const size = sizeOf(value)
  if (size !== undefined) return viewList(view, value as Iterable<unknown>, size, depth)
  const json = toJSON(value)
  if (json !== value) return viewOf(view, json, depth + 1)
  const keys = Object.keys(value).filter((key) => !key.startsWith("~"))
  if (keys.length === 0 && nameOf(value) !== "Object") return viewOpaque(view, value)
  return Object.fromEntries(viewFields(view, value, keys, depth))
}

const viewError = (view: View, error: Error, depth: number): unknown => {
  const own = Object.keys(error)
  const keys = [own.includes("_tag") ? "_tag" : "name", "message", ...own, "cause"] as ReadonlyArray<keyof Error>
  const shown = [...new Set(keys)].filter((key) => error[key] !== undefined && error[key] !== "")
  return Object.fromEntries(viewFields(view, error, shown, depth))
}

const viewList = (view: View, values: Iterable<unknown>, size: number, depth: number): ReadonlyArray<unknown> => {
  const shown: Array<unknown> = []
  for (const value of values) {
    if (shown.length >= maxEntries || view.left <= 0) break
    shown.push(viewOf(view, value, depth + 1))
  }
  if (size > shown.length) shown.push(`… ${size - shown.length} more`)
  return shown
}

const viewFields = (
  view: View,
  value: object,
  keys: ReadonlyArray<string>,
  depth: number
): ReadonlyArray<[string, unknown]> => {
  const shown: Array<[string, unknown]> = []
  for (const key of keys) {
    if (shown.length >= maxEntries || view.left <= 0) break
    const property = Object.getOwnPropertyDescriptor(value, key) ?? { value: Reflect.get(value, key) }
    // A getter is code of somebody else: it is not run for a report.
    shown.push([viewText(view, key), property.get === undefined ? viewOf(view, property.value, depth + 1) : "[Getter]"])
  }
  if (keys.length > shown.length) shown.push(["…", `${keys.length - shown.length} more`])
  return shown
}

const viewText = (view: View, text: string): string => {
  const shown = cut(text, Math.min(maxString, view.left))
  view.left -= shown.length
  return shown
}

const viewOpaque = (view: View, value: object): string => viewText(view, `[${nameOf(value)}]`)

const kindOf = (value: object): string | undefined =>
  Context.isContext(value) ? "Context" : Fiber.isFiber(value) ? "Fiber" : Effect.isEffect(value) ? "Effect" : undefined

const nameOf = (value: object): string => {
  const name = kindOf(value) ?? value.constructor?.name
  return typeof name === "string" && name !== "" ? name : "Object"
}

/** A collection that says how large it is: its first entries are enough, however many there are. */
const sizeOf = (value: object): number | undefined => {
  if (!(Symbol.iterator in value)) return undefined
  const { length, size = length } = value as { readonly size?: unknown; readonly length?: unknown }
  return typeof size === "number" ? size : undefined
}

const toJSON = (value: object): unknown => {
  const { toJSON } = value as { readonly toJSON?: unknown }
  return typeof toJSON === "function" ? toJSON.call(value) : value
}

/** Node's `util.inspect` stops at the third level, and a view goes as deep as it should. */
const whole = function(this: object, _: unknown, options: object, inspect: unknown): unknown {
  const copy = Array.isArray(this) ? [...this] : { ...this }
  return typeof inspect === "function" ? inspect(copy, { ...options, depth: null }) : copy
}

// On the prototype: `format` shows what an object has itself, whether it is enumerable or not.
const showing = (prototype: object): object =>
  Object.create(prototype, { [Symbol.for("nodejs.util.inspect.custom")]: { value: whole } })

const Shown = showing(Object.prototype)
const ShownArray = showing(Array.prototype)
