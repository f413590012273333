/**
 * Registering and looking up, as effects that are done at once. Where that might throw, they are evaluated, since a defect
 * is nothing that a `catch` may see: for a key that is compared by code of its own, and with listeners, whose names may be
 * resolved by anybody.
 *
 * @internal
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { RegistrationError } from "../OtpError.ts"
import * as AtOnce from "./atOnce.ts"
import { entryOf } from "./current.ts"
import * as Running from "./registry.ts"
import * as Service from "./registryService.ts"
import * as Table from "./registryTable.ts"

interface Lookup extends Effect.Effect<unknown> {
  readonly registry: unknown
  readonly key: unknown
}

const Lookup: { new(registry: unknown, key: unknown): Lookup } = function(
  this: { registry: unknown; key: unknown },
  registry: unknown,
  key: unknown
) {
  this.registry = registry
  this.key = key
} as never
Lookup.prototype = AtOnce.Prototype<Lookup>({
  label: "Registry.lookup",
  now() {
    const { key, registry } = this
    const running = Table.isPlain(key) ? Service.runningIf(registry) : undefined
    return running === undefined ? AtOnce.notNow : found(running, key)
  },
  evaluate() {
    return Effect.succeed(found(Service.runningOf(this.registry), this.key))
  }
})

const found = ({ holders, unique }: Running.Registry, key: unknown): unknown =>
  unique ? Option.fromUndefinedOr(Table.first(holders, key)) : Table.ofKey(holders, key)

export const lookup = (registry: unknown, key: unknown): Effect.Effect<unknown> => new Lookup(registry, key)

interface Register extends Effect.Effect<void, RegistrationError> {
  readonly registry: unknown
  readonly key: unknown
  readonly value: unknown
}

const Register: { new(registry: unknown, key: unknown, value: unknown): Register } = function(
  this: { registry: unknown; key: unknown; value: unknown },
  registry: unknown,
  key: unknown,
  value: unknown
) {
  this.registry = registry
  this.key = key
  this.value = value
} as never
Register.prototype = AtOnce.Prototype<Register>({
  label: "Registry.register",
  now(fiber) {
    const { key, registry, value } = this
    const running = Table.isPlain(key) ? Service.runningIf(registry) : undefined
    if (running === undefined || running.listeners.length > 0) return AtOnce.notNow
    // A refusal has changed nothing, and comes again when it is evaluated.
    return Running.register(running, entryOf(fiber)!, key, value) === undefined ? undefined : AtOnce.notNow
  },
  evaluate(fiber) {
    const { key, registry, value } = this
    const running = Service.runningOf(registry)
    const holder = Running.register(running, entryOf(fiber)!, key, value)
    if (holder === undefined) return Effect.void
    const reason = { _tag: "NameTaken", holder } as const
    return Effect.fail(new RegistrationError({ name: Running.show(running.name, key), reason }))
  }
})

export const register = (
  registry: unknown,
  key: unknown,
  value: unknown
): Effect.Effect<void, RegistrationError> => new Register(registry, key, value)
