/**
 * The service of a registry: the server that it belongs to, the way to reach it, and its keys as names.
 *
 * @internal
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Name from "../Name.ts"
import * as Step from "../Step.ts"
import { type Address, AddressTypeId, locateNow } from "./address.ts"
import { reportUnexpected } from "./crashReport.ts"
import * as Input from "./input.ts"
import { ended, type Entry } from "./processTable.ts"
import * as Running from "./registry.ts"
import * as Table from "./registryTable.ts"
import type { Definition, ServerState } from "./serverState.ts"
import { isExit } from "./signal.ts"

export const TypeId = "~@effect-otp/core/Registry"

interface Handle {
  readonly [TypeId]: Running.Config
  readonly [AddressTypeId]: Address
}

export const makeHandle = (config: Running.Config, address: Address): Handle => ({
  [TypeId]: config,
  [AddressTypeId]: address
})

const isHandle = (registry: unknown): registry is Handle =>
  typeof registry === "object" && registry !== null && TypeId in registry

export const handleOf = (registry: unknown): Handle =>
  Input.check("registry", "a Registry", isHandle(registry), registry) as Handle

interface Options {
  readonly keys: "unique" | "duplicate"
  readonly listeners?: ReadonlyArray<Name.AnyName> | undefined
  readonly meta?: object | undefined
  readonly partitions?: number | undefined
}

export const configOf = (name: string, given: Options): Running.Config => {
  const { keys, listeners = [], meta = {}, partitions = 1 } = Input.options(
    ["keys", "listeners", "meta", "partitions"],
    given
  )
  Input.check("listeners", "an array of names", Array.isArray(listeners), listeners)
  const isName = (name: Name.AnyName) => typeof name === "string" || Name.isName(name) || Name.isVia(name)
  for (const listener of listeners) Input.check("listeners", "names", isName(listener), listener)
  return {
    name: Input.nonEmpty("key", name),
    unique: Input.oneOf("keys", ["unique", "duplicate"], keys) === "unique",
    partitions: Input.check("partitions", "one or more", Input.count("partitions", partitions) > 0, partitions),
    listeners,
    meta: Reflect.ownKeys(Input.object("meta", meta)).map((key) => [key, Reflect.get(meta, key)] as const)
  }
}

/** The server that a registry belongs to: it traps exits, because those of whoever is registered come to it. */
export const define = (config: Running.Config): Definition => ({
  name: config.name,
  protocol: config,
  init: (_, entry) => Running.make(config, entry),
  handlers: {},
  info: (state, message) => {
    const { entry, name } = state as Running.Registry
    if (!isExit(message)) reportUnexpected(entry, name, message)
    return Step.noReply(state)
  },
  shown: (state) => {
    const { holders, metadata, unique } = state as Running.Registry
    return {
      keys: unique ? "unique" : "duplicate",
      entries: Table.toArray(holders),
      meta: Object.fromEntries(metadata)
    }
  },
  trapExit: true
})

const findRunning = (handle: Handle): Running.Registry | undefined => {
  const entry = locateNow(handle[AddressTypeId])
  if (entry === undefined || entry.status === ended) return undefined
  return (entry.state as ServerState).state as Running.Registry | undefined
}

const runningOfHandle = (handle: Handle): Running.Registry => {
  const running = findRunning(handle)
  if (running === undefined) throw new Error(`the registry ${handle[TypeId].name} does not run`)
  return running
}

/** The same where nothing may be thrown. */
export const runningIf = (registry: unknown): Running.Registry | undefined =>
  isHandle(registry) ? findRunning(registry) : undefined

export const runningOf = (registry: unknown): Running.Registry => runningOfHandle(handleOf(registry))

export const uniqueOnly = (handle: Handle, what: string): Handle => {
  if (!handle[TypeId].unique) {
    throw new TypeError(`${what}: expected a registry with unique keys, got ${handle[TypeId].name}`)
  }
  return handle
}

export const uniqueOf = (registry: unknown, what: string): Running.Registry =>
  runningOfHandle(uniqueOnly(handleOf(registry), what))

interface Keyed {
  readonly handle: Handle
  readonly key: unknown
  readonly value: unknown
}

export const resolver: Name.Resolver<Keyed> = {
  register: ({ handle, key, value }, pid) =>
    Running.register(runningOfHandle(handle), pid as Entry, key, value) === undefined,
  unregister: ({ handle, key }) => {
    const running = findRunning(handle)
    const item = running && Table.first(running.holders, key)
    if (item !== undefined) Running.unregister(running!, item.pid, key)
  },
  whereis: ({ handle, key }) => {
    const running = findRunning(handle)
    return running && Table.first(running.holders, key)?.pid
  },
  format: ({ handle, key }) => Running.show(handle[TypeId].name, key)
}

export const functionOf = (what: string, f: unknown) => Input.check(what, "a function", typeof f === "function", f)

type AnyPick = (input: unknown) => boolean | Result.Result<unknown, unknown>

export const pass = (pick: unknown, input: unknown): Option.Option<unknown> => {
  const picked = (functionOf("pick", pick) as AnyPick)(input)
  if (typeof picked === "boolean") return picked ? Option.some(input) : Option.none()
  return Result.isSuccess(picked) ? Option.some(picked.success) : Option.none()
}

export const matches = (pick: unknown) => (input: unknown): boolean => Option.isSome(pass(pick, input))
