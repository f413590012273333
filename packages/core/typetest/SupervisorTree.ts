/** Exact types of trees made of declared children: what is provided, what is needed, which duplicates do not compile. */
import * as ChildSpec from "@effect-otp/core/ChildSpec"
import type { CallError, GaveUp, StartError } from "@effect-otp/core/OtpError"
import type * as Process from "@effect-otp/core/Process"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { typeOf } from "./utils.ts"

class Db extends Context.Service<Db, { readonly query: () => string }>()("Db") {}
class Cache extends Context.Service<Cache, { readonly query: () => string }>()("Cache") {} // same shape as Db
class Queue extends Context.Service<Queue, { readonly size: number }>()("Queue") {}
class Config extends Context.Service<Config, { readonly url: string }>()("Config") {}
type DbError = { readonly _tag: "DbError" }
type CacheError = { readonly _tag: "CacheError" }

const db = undefined as never as ChildSpec.ChildSpec<Db, DbError, Config>
const cache = undefined as never as ChildSpec.ChildSpec<Cache, CacheError, Db>
const queue = undefined as never as ChildSpec.ChildSpec<Queue, never, Db | Cache>
const plain = undefined as never as ChildSpec.ChildSpec<never, never, never>

// --- exact layers

typeOf(Supervisor.make({ children: [] }).layer).is<Layer.Layer<never, StartError<never>, never>>()
typeOf(Supervisor.make({ children: [db] }).layer).is<Layer.Layer<Db, StartError<DbError>, Config>>()
typeOf(
  Supervisor.make({ strategy: "rest_for_one", children: [db, cache] }).layer
).is<Layer.Layer<Db | Cache, StartError<DbError | CacheError>, Config>>()
// left to right: what a later child provides does not help an earlier one
typeOf(
  Supervisor.make({ children: [cache, db] }).layer
).is<Layer.Layer<Db | Cache, StartError<DbError | CacheError>, Config | Db>>()
typeOf(
  Supervisor.make({ children: [db, plain, cache, queue] }).layer
).is<Layer.Layer<Db | Cache | Queue, StartError<DbError | CacheError>, Config>>()
// not itself
const selfish = undefined as never as ChildSpec.ChildSpec<Queue, never, Queue>
typeOf(Supervisor.make({ children: [selfish] }).layer).is<Layer.Layer<Queue, StartError<never>, Queue>>()
// one service of two that a child needs
typeOf(
  Supervisor.make({ children: [db, queue] }).layer
).is<Layer.Layer<Db | Queue, StartError<DbError>, Config | Cache>>()

// --- nested trees

const inner = Supervisor.make({ children: [cache, queue] })
typeOf(inner).is<Supervisor.Supervisor<Cache | Queue, CacheError, Db>>()
const middle = Supervisor.make({ strategy: "one_for_all", children: [inner.child({ id: "inner" }), plain] })
typeOf(middle).is<Supervisor.Supervisor<Cache | Queue, CacheError, Db>>()
const outer = Supervisor.make({ children: [db, middle.child({ id: "middle" })] })
typeOf(outer.layer).is<Layer.Layer<Db | Cache | Queue, StartError<DbError | CacheError>, Config>>()
const inline = Supervisor.make({
  strategy: "rest_for_one",
  intensity: { maxRestarts: 3, within: "5 seconds" },
  backoff: Schedule.exponential("100 millis").pipe(Schedule.jittered),
  children: [
    db,
    Supervisor.make({
      children: [
        cache,
        Supervisor.make({ children: [Supervisor.make({ children: [queue] }).child({ id: "4" })] }).child({ id: "3" })
      ]
    }).child({ id: "2", restart: "transient", shutdown: "brutalKill" })
  ]
})
typeOf(inline.layer).is<Layer.Layer<Db | Cache | Queue, StartError<DbError | CacheError>, Config>>()

// --- starting

typeOf(Supervisor.make({ children: [db] }).start).is<Effect.Effect<Supervisor.Ref, StartError<DbError>, Config>>()
typeOf(
  Supervisor.make({ children: [db] }).startLink
).is<Effect.Effect<Supervisor.Ref, StartError<DbError>, Config | Process.Current>>()
typeOf(
  Supervisor.make({ children: [db] }).startScoped
).is<Effect.Effect<Supervisor.Ref, StartError<DbError>, Config | Scope.Scope>>()
typeOf(Supervisor.launch(outer)).is<Effect.Effect<never, StartError<DbError | CacheError> | GaveUp, Config>>()
const ref = undefined as never as Supervisor.Ref
typeOf(Supervisor.stop(ref, { timeout: "1 second" })).is<Effect.Effect<void, CallError>>()
typeOf(
  Supervisor.startChild(ref, db)
).is<Effect.Effect<Process.Pid<never, unknown> | undefined, StartError<DbError> | CallError, Config>>()
// @ts-expect-error a child that needs a service is not started without it
void Effect.runPromise(Supervisor.startChild(ref, db))

// --- provide: false

typeOf(inner.child({ id: "inner", provide: false })).is<ChildSpec.ChildSpec<never, CacheError, Db>>()
typeOf(inner.child({ id: "inner", provide: true })).is<ChildSpec.ChildSpec<Cache | Queue, CacheError, Db>>()
typeOf(inner.child({ id: "inner", provide: undefined })).is<ChildSpec.ChildSpec<Cache | Queue, CacheError, Db>>()
// not known before it runs: nothing is promised
const provide = undefined as never as boolean
typeOf(inner.child({ id: "inner", provide })).is<ChildSpec.ChildSpec<never, CacheError, Db>>()
typeOf(
  Supervisor.make({ children: [db, inner.child({ id: "a" }), inner.child({ id: "b", provide: false })] }).layer
).is<Layer.Layer<Db | Cache | Queue, StartError<DbError | CacheError>, Config>>()
// what is not provided does not satisfy those after it
typeOf(
  Supervisor.make({ children: [inner.child({ id: "a", provide: false }), queue] }).layer
).is<Layer.Layer<Queue, StartError<CacheError>, Db | Cache>>()

// --- two children provide one service

// @ts-expect-error a child before this one provides Db too
Supervisor.make({ children: [db, db] })
Supervisor.make({
  children: [
    db,
    plain,
    // @ts-expect-error the error is at the second one, not at the tree
    db,
    cache
  ]
})
Supervisor.make({
  children: [
    db,
    cache,
    // @ts-expect-error also where a whole branch provides it
    inner.child({ id: "inner" })
  ]
})
// services of the same shape with different keys are different services
Supervisor.make({ children: [db, cache] })

// --- a spec of unknown choice or number

const chosen = provide ? db : cache
typeOf(
  Supervisor.make({ children: [chosen] }).layer
).is<Layer.Layer<never, StartError<DbError | CacheError>, Config | Db>>()
const many = undefined as never as ReadonlyArray<ChildSpec.ChildSpec<Queue, never, Db>>
typeOf(Supervisor.make({ children: many }).layer).is<Layer.Layer<Queue, StartError<never>, Db>>()
typeOf(Supervisor.make({ children: [db, ...many] }).layer).is<Layer.Layer<Db | Queue, StartError<DbError>, Config>>()

Supervisor.make({ children: [1, 2].map((n) => ChildSpec.worker({ id: `${n}`, run: () => Effect.never })) })
const chosenTree = Supervisor.make({ children: provide ? [db] : [cache] })
typeOf(chosenTree.layer).is<Layer.Layer<never, StartError<DbError | CacheError>, Config | Db>>()
// @ts-expect-error what an array of unknown length provides counts too
Supervisor.make({ children: [queue, ...many] })
const listed = [db, cache] as const
typeOf(
  Supervisor.make({ children: listed }).layer
).is<Layer.Layer<Db | Cache, StartError<DbError | CacheError>, Config>>()

// --- generic code

const alone = <P, E, R>(spec: ChildSpec.ChildSpec<P, E, R>): Layer.Layer<P, StartError<E>, R> =>
  Supervisor.make({ children: [spec] }).layer
typeOf(alone(db)).is<Layer.Layer<Db, StartError<DbError>, Config>>()

// a service class that puts itself into a tree
class Own extends Context.Service<Own, { readonly n: number }>()("Own") {
  static readonly child = undefined as never as ChildSpec.ChildSpec<Own, DbError, Config>
  static readonly layer = Supervisor.make({ children: [this.child] }).layer
  static readonly layerWithDb = Supervisor.make({ children: [db, this.child] }).layer
}
typeOf(Own.layer).is<Layer.Layer<Own, StartError<DbError>, Config>>()
typeOf(Own.layerWithDb).is<Layer.Layer<Own | Db, StartError<DbError>, Config>>()

// --- what a spec promises

// @ts-expect-error what provides nothing is not what provides Db
const promised: ChildSpec.ChildSpec<Db, never, never> = plain
const modest: ChildSpec.ChildSpec<Cache, CacheError, Db> = inner.child({ id: "inner" })

// --- options

// @ts-expect-error OTP's spelling
Supervisor.make({ strategy: "oneForOne", children: [] })
// @ts-expect-error an option that does not exist
Supervisor.make({ strategi: "one_for_one", children: [] })
// @ts-expect-error not a child
Supervisor.make({ children: [db, 1] })
// @ts-expect-error a child needs an id
inner.child({})
// @ts-expect-error a backoff must not need services: it runs in the supervisor
Supervisor.make({ backoff: undefined as never as Schedule.Schedule<number, unknown, never, Db>, children: [] })

// --- an array of unknown length before others

typeOf(Supervisor.make({ children: [...many, db] }).layer).is<
  Layer.Layer<Db | Queue, StartError<DbError>, Config | Db>
>()
